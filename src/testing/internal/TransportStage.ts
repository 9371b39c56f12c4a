/**
 * Where the laws of transports play: pairs of raw sockets on a watched transport, each with an ear that writes down what
 * it is told.
 *
 * ```
 * client: RawEnd { raw, ear, sent }  ==== the transport under test ====  server: RawEnd { raw, ear, sent }
 * ```
 *
 * However a scene ends, every dialled socket and the listener are closed, and each raw socket must then say that it is
 * gone.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Transport from "../../Transport.ts"
import * as Flow from "./ConnectionFlow.ts"
import * as ConnectionStage from "./ConnectionStage.ts"
import type { Spec } from "./TransportSpec.ts"
import type { WatchedSocket } from "./WatchedTransport.ts"

/** A handler that checks the bytes and writes down the rest. @category models @since 0.1.0 */
export class Ear implements Transport.RawHandler {
  /** How much of the stream it has, with what other ears heard before it. */
  bytes: number
  ended = false
  drains = 0
  closed: { readonly code: string | undefined } | undefined = undefined
  /** The first byte that is not the one that was written there. */
  broken: string | undefined = undefined
  /** What it was told, without the sizes. */
  readonly events: Array<"data" | "end" | "close"> = []
  /** Done at each chunk. */
  onChunk: (chunk: Uint8Array) => void = () => {}
  private readonly from: number

  /** Hears what `writer` writes, from a place on. */
  constructor(writer: "client" | "server", at = 0) {
    this.from = Flow.startOf({ name: writer })
    this.bytes = at
  }

  onData(chunk: Uint8Array): void {
    const at = Flow.mismatch(chunk, this.from + this.bytes)
    if (at >= 0) this.broken ??= `byte ${this.bytes + at} is not the one that was written there`
    this.bytes += chunk.length
    this.events.push("data")
    this.onChunk(chunk)
  }
  onEnd(): void {
    this.ended = true
    this.events.push("end")
  }
  onDrain(): void {
    this.drains++
  }
  onClose(code: string | undefined): void {
    this.closed = { code }
    this.events.push("close")
  }
}

/** One side of a pair. @category models @since 0.1.0 */
export interface RawEnd {
  readonly name: "client" | "server"
  readonly raw: WatchedSocket
  /** The first handler. */
  readonly ear: Ear
  /** How much it has written. */
  sent: number
}

/** Writes the next bytes of this side's stream, in segments of these sizes. @category streams @since 0.1.0 */
export const write = (end: RawEnd, sizes: ReadonlyArray<number>): boolean =>
  end.raw.write(sizes.map((size) => {
    const segment = Flow.pattern(Flow.startOf(end) + end.sent, size)
    end.sent += size
    return segment
  }))

/** What a transport is tried with. @category models @since 0.1.0 */
export class TransportStage {
  readonly stage: ConnectionStage.Stage
  private readonly scopes: Array<Scope.Closeable> = []

  constructor(stage: ConnectionStage.Stage) {
    this.stage = stage
  }

  /** Dials, for the time of the scene; the ear is attached, and nothing flows. */
  get dial(): Effect.Effect<RawEnd, string> {
    return Effect.gen({ self: this }, function*() {
      const { stage } = this
      const scope = yield* Scope.make()
      this.scopes.push(scope)
      const raw = yield* stage.run(
        "connecting",
        Scope.provide(stage.watch.transport.connect(yield* stage.target), scope)
      )
      return yield* this.open("client", raw)
    })
  }

  /** Takes the next accepted socket; the ear is attached, and nothing flows. */
  get accept(): Effect.Effect<RawEnd, string> {
    return Effect.flatMap(this.stage.accept, (raw) => this.open("server", raw))
  }

  /** A client and its server, both flowing. */
  get pair(): Effect.Effect<readonly [client: RawEnd, server: RawEnd], string> {
    return Effect.map(this.lazyPair, (ends) => {
      for (const { raw } of ends) raw.resume()
      return ends
    })
  }

  /** A client and its server, both paused. */
  get lazyPair(): Effect.Effect<readonly [client: RawEnd, server: RawEnd], string> {
    return Effect.gen({ self: this }, function*() {
      return [yield* this.dial, yield* this.accept] as const
    })
  }

  private open(name: RawEnd["name"], raw: Transport.RawSocket): Effect.Effect<RawEnd, string> {
    const watched = this.stage.watch.sockets.find((socket) => socket === raw)
    if (watched === undefined) return Effect.fail(`the ${name} has no raw socket`)
    const ear = new Ear(name === "client" ? "server" : "client")
    watched.attach(ear)
    return Effect.succeed({ name, raw: watched, ear, sent: 0 })
  }

  /** Writes batches one after the other, and waits where it is told to. */
  writeAll(end: RawEnd, batches: ReadonlyArray<ReadonlyArray<number>>): Effect.Effect<void, string> {
    return Effect.forEach(batches, (sizes) => {
      const { drains } = end.ear
      return write(end, sizes)
        ? Effect.void
        : this.stage.until(`the drain of the ${end.name}`, () => end.ear.drains > drains)
    }, { discard: true })
  }

  /** Waits until an ear has so many bytes, each of them right. */
  heard(ear: Ear, bytes: number): Effect.Effect<void, string> {
    return Effect.flatMap(
      Effect.result(this.stage.until(`${bytes} bytes`, () => ear.bytes >= bytes || ear.broken !== undefined)),
      (result) => {
        if (ear.broken !== undefined) return Effect.fail(ear.broken)
        return result._tag === "Failure" || ear.bytes > bytes
          ? Effect.fail(`${ear.bytes} bytes came of ${bytes} that were written`)
          : Effect.void
      }
    )
  }

  /** Closes what was dialled. */
  get close(): Effect.Effect<void> {
    return Effect.forEach(this.scopes, (scope) => Scope.close(scope, Exit.void), { discard: true })
  }
}

/** Plays a scene, and then closes everything. @category running @since 0.1.0 */
export const play = (
  spec: Spec,
  scene: (stage: TransportStage) => Effect.Effect<void, string>
): Effect.Effect<void, string, Transport.Transport> =>
  ConnectionStage.play(spec, (stage) => {
    const here = new TransportStage(stage)
    return Effect.ensuring(scene(here), here.close)
  })

/** Plays a scene twice: the first side is the client, and then the server. @category running @since 0.1.0 */
export const playBoth = (
  spec: Spec,
  ends: (stage: TransportStage) => Effect.Effect<readonly [RawEnd, RawEnd], string>,
  scene: (stage: TransportStage, one: RawEnd, other: RawEnd) => Effect.Effect<void, string>
): Effect.Effect<void, string, Transport.Transport> =>
  Effect.andThen(
    play(spec, (stage) => Effect.flatMap(ends(stage), ([client, server]) => scene(stage, client, server))),
    play(spec, (stage) => Effect.flatMap(ends(stage), ([client, server]) => scene(stage, server, client)))
  )

/**
 * A server under test, its visitors, and the books: every event is entered when it is told, and checked.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as TestClock from "effect/testing/TestClock"
import { show } from "../../internal/codecReader.ts"
import type * as Server from "../../Server.ts"
import type * as Transport from "../../Transport.ts"
import { type RawPeer, turnedAway } from "./RawPeer.ts"
import { must } from "./Scene.ts"
import { answered, type Handler, type Spec, start } from "./ServerSpec.ts"
import { type Counts, toCounts } from "./ServerWatch.ts"
import { play, World } from "./ServiceWorld.ts"

/** A peer, and the number that the server has for it. @category models @since 0.1.0 */
export interface Visitor {
  readonly peer: RawPeer
  readonly id: number
}

type Place = "waiting" | "in" | "refused" | "ended"

/** Which events may follow each other, for one connection. */
const follows: Readonly<Record<string, ReadonlyArray<Place | undefined>>> = {
  Waiting: [undefined],
  Accepted: [undefined, "waiting"],
  Refused: [undefined, "waiting"],
  Ended: ["in"]
}

const places: Readonly<Record<string, Place>> = {
  Waiting: "waiting",
  Accepted: "in",
  Refused: "refused",
  Ended: "ended"
}

/** A server under test. @category models @since 0.1.0 */
export class ServerWorld<Request, Response> extends World {
  readonly sample: Spec<Request, Response>
  readonly events: Array<Server.Event> = []
  readonly places = new Map<number, Place>()
  /** The first event, or count, that is wrong. */
  wrong: string | undefined = undefined
  /** The most connections that were ever in at once. */
  most = 0
  /** How many requests a handler was given. */
  handled = 0
  private readonly handlers = new Map<number, Handler<Request, Response>>()
  private running: Server.Server["Service"] | undefined = undefined

  constructor(spec: Spec<Request, Response>, ...rest: [Transport.Transport["Service"], TestClock.TestClock]) {
    super(spec, ...rest)
    this.sample = spec
  }

  /** Starts the server; each visitor has the handler that it came with, or the plain one. */
  serve(options: Server.Options): Effect.Effect<Server.Server["Service"], string> {
    const handler: Handler<Request, Response> = (request, connection) => {
      this.handled++
      return this.handlers.get(connection.id)?.(request, connection) ?? Effect.succeed(this.sample.answer(request))
    }
    const starting = start(this.sample, handler, { ...options, onEvent: (event) => this.enter(event) })
    return Effect.tap(this.run("starting the server", starting), (server) =>
      Effect.sync(() => {
        this.running = server
      }))
  }

  /** Of all connections, the ones that are in a place. */
  count(place: Place): number {
    return Array.from(this.places.values()).filter((other) => other === place).length
  }

  /** The counts of this moment, by the events so far. */
  get books(): Counts {
    const [open, ended] = [this.count("in"), this.count("ended")]
    return { accepted: open + ended, open, ended, refused: this.count("refused"), waiting: this.count("waiting") }
  }

  private enter(event: Server.Event): void {
    this.events.push(event)
    if (!("id" in event) || event._tag === "Secured") return
    const before = this.places.get(event.id)
    if (follows[event._tag]?.includes(before) !== true) {
      this.wrong ??= `connection ${event.id} was told ${event._tag} when it was ${before ?? "new"}`
    }
    const place = places[event._tag]
    if (place !== undefined) this.places.set(event.id, place)
    this.most = Math.max(this.most, this.count("in"))
    this.wrong ??= this.compare(`at an event ${event._tag}`)
  }

  private compare(when: string): string | undefined {
    const stats = this.running === undefined ? undefined : Effect.runSyncExit(this.running.stats)
    if (stats === undefined) return undefined
    if (Exit.isFailure(stats)) return "the counts are not known at once"
    const { accepted, arrived, ended, handshaking, open, refused, waiting } = stats.value
    if (arrived !== accepted + refused + waiting + handshaking || accepted !== open + ended) {
      return `${when} the counts do not add up: ${show(stats.value)}`
    }
    return Equal.equals(toCounts(stats.value), this.books)
      ? undefined
      : `${when} the server counts ${show(stats.value)}, its events say ${show(this.books)}`
  }

  /** The books are right: each event had its turn, each count is right, and everybody who arrived is in them. */
  get check(): Effect.Effect<void, string> {
    return Effect.suspend(() => {
      const wrong = this.wrong ?? this.compare("at rest")
      if (wrong !== undefined) return Effect.fail(wrong)
      const arrived = this.watch.sockets.filter(({ kind }) => kind === "accepted").length
      return must(
        arrived === this.places.size,
        () => `${arrived} connections arrived, and events tell of ${this.places.size}`
      )
    })
  }

  /** Comes to the server, with its own handler or the plain one; the server has noticed. */
  visit(handler?: Handler<Request, Response>): Effect.Effect<Visitor, string> {
    return Effect.gen({ self: this }, function*() {
      const { running } = this
      if (running === undefined) return yield* Effect.fail("there is no server")
      const known = new Set(this.places.keys())
      const peer = yield* Effect.catch(
        this.dial(running.endpoint),
        (error) =>
          // A kernel may hand over the reset of a fresh connection instead of the connection.
          typeof error !== "string" && error.reason === "Unknown"
            ? Effect.succeed(turnedAway(error.code))
            : Effect.fail(typeof error === "string" ? error : error.message)
      )
      yield* this.until("an event of a visitor", () => this.places.size > known.size)
      const id = Array.from(this.places.keys()).find((other) => !known.has(other)) ?? 0
      if (handler !== undefined) this.handlers.set(id, handler)
      return { peer, id }
    })
  }

  /** The reasons that a connection ended with; one, when all is well. */
  reasons(id: number): ReadonlyArray<string> {
    return this.events.flatMap((event) => event._tag === "Ended" && event.id === id ? [event.reason._tag] : [])
  }

  /** A peer has heard the answers to these requests, and nothing else. */
  heard(who: string, peer: RawPeer, requests: ReadonlyArray<Request>): Effect.Effect<void, string> {
    const expected = answered(this.sample, requests)
    return must(
      Equal.equals(peer.bytes, expected),
      () => `${who} asked ${show(requests)} and heard ${text(peer.bytes)} instead of ${text(expected)}`
    )
  }
}

/** Bytes for a reader: as text, of which no more than a line. @category formatting @since 0.1.0 */
export const text = (bytes: Uint8Array): string => {
  const shown = JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 60)))
  return bytes.length > 60 ? `${shown}… (${bytes.length} bytes)` : shown
}

/** Plays a scene; then the server closes, and nothing of it may be left. @category running @since 0.1.0 */
export const playServer = <Request, Response>(
  spec: Spec<Request, Response>,
  scene: (world: ServerWorld<Request, Response>) => Effect.Effect<void, string>
): Effect.Effect<void, string, Transport.Transport> =>
  play(
    (transport, clock) => new ServerWorld(spec, transport, clock),
    "accepted",
    (world) => Effect.andThen(scene(world), world.check)
  )

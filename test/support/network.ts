/**
 * A watched network for the tests of servers and clients: what is open, what was written, who is still running.
 *
 * Everything happens in memory and in virtual time, unless a test provides another transport.
 */
import { assert } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Logger, Metric, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  CloseReason,
  Codec,
  type Connection,
  Endpoint,
  Framing,
  MemoryTransport,
  Protocol,
  Server,
  Transport
} from "../../src/index.ts"

/** Lines of text, strictly. */
export const line = Codec.text(Framing.lines({ maxFrameBytes: 100_000, ending: "lf", unterminated: "reject" }))

/** A protocol of lines. */
export const Text = Protocol.make("text", { request: line, response: line })

// --- time ------------------------------------------------------------------------------------------------------------

const turns = (count: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const step = (left: number) => setImmediate(() => left > 1 ? step(left - 1) : resume(Effect.void))
    step(count)
  })

/** Lets everything happen that needs no time: enough turns of the event loop for memory to carry what is on its way. */
export const settle = turns(12)

/** Lets virtual time pass, in steps, so that what happens at one moment can have its consequences before the next. */
export const pass = Effect.fnUntraced(function*(millis: number, step = 50) {
  yield* settle
  for (let left = millis; left > 0; left -= step) {
    yield* TestClock.adjust(Math.min(step, left))
    yield* settle
  }
})

/** Runs an effect to its end while virtual time passes. */
export const passing = <A, E, R>(effect: Effect.Effect<A, E, R>, step = 50): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    yield* settle
    for (let left = 2_000; fiber.pollUnsafe() === undefined; left--) {
      if (left === 0) return assert.fail(`did not end in ${2_000 * step} ms of virtual time`)
      yield* pass(step, step)
    }
    return yield* Fiber.join(fiber)
  })

/**
 * The same over real sockets: virtual time passes so slowly that names are looked up and handshakes made meanwhile, also
 * on a busy machine.
 */
export const passingSlowly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let left = 2_000; fiber.pollUnsafe() === undefined; left--) {
      if (left === 0) return assert.fail("did not end in 100 s of virtual time")
      yield* turns(400)
      if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust(50)
    }
    return yield* Fiber.join(fiber)
  })

/** Waits, in real turns of the event loop, for something that must happen. */
export const until = Effect.fnUntraced(function*(what: string, holds: () => boolean, limit = 20_000) {
  for (let left = limit; !holds(); left--) {
    if (left === 0) return assert.fail(`did not happen: ${what}`)
    yield* turns(1)
  }
})

// --- peers -----------------------------------------------------------------------------------------------------------

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A peer with no protocol in it: it sends and hears bytes, and does whatever peers do. */
export class Peer implements Transport.RawHandler {
  readonly raw: Transport.RawSocket
  /** Everything heard so far. */
  heard = ""
  heardBytes = 0
  /** The other side ended. */
  ended = false
  /** How the socket went: `undefined` while it is there. */
  closed: { readonly code: string | undefined } | undefined = undefined

  constructor(raw: Transport.RawSocket) {
    this.raw = raw
    raw.attach(this)
    raw.resume()
  }
  onData(chunk: Uint8Array): void {
    this.heard += decoder.decode(chunk)
    this.heardBytes += chunk.length
  }
  onEnd(): void {
    this.ended = true
  }
  onDrain(): void {}
  onClose(code: string | undefined): void {
    this.closed = { code }
  }
  send(...texts: ReadonlyArray<string>): void {
    for (const text of texts) this.raw.write([encoder.encode(text)])
  }
  /** Ends both sides, having heard the other's end or not. */
  leave(): void {
    this.raw.end()
    this.raw.resume()
  }
}

/** Connects a peer for the time of the scope. */
export const peer = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint) {
  return new Peer(yield* Transport.Transport.use((transport) => transport.connect(endpoint)))
})

// --- watching --------------------------------------------------------------------------------------------------------

/** One socket of a server, with everything about it counted. */
class Watched implements Transport.RawSocket {
  private readonly raw: Transport.RawSocket
  private readonly network: Network
  constructor(raw: Transport.RawSocket, network: Network) {
    this.raw = raw
    this.network = network
    this.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
  }
  get id(): number {
    return this.raw.id
  }
  get local(): Endpoint.Endpoint {
    return this.raw.local
  }
  get peer(): Endpoint.Endpoint {
    return this.raw.peer
  }
  get bytesUnsent(): number {
    return this.raw.bytesUnsent
  }
  attach(handler: Transport.RawHandler): void {
    this.raw.attach({
      onData: (chunk) => {
        this.network.deliveredBytes += chunk.length
        handler.onData(chunk)
      },
      onEnd: () => handler.onEnd(),
      onDrain: () => handler.onDrain(),
      onClose: (code) => {
        this.network.open.delete(this)
        handler.onClose(code)
      }
    })
  }
  pause(): void {
    this.raw.pause()
  }
  resume(): void {
    this.raw.resume()
  }
  unshift(chunk: Uint8Array): void {
    this.raw.unshift(chunk)
  }
  write(segments: ReadonlyArray<Uint8Array>): boolean {
    this.network.writes.push(decoder.decode(Buffer.concat(segments)))
    return this.raw.write(segments)
  }
  end(): void {
    this.raw.end()
  }
  destroy(): void {
    this.raw.destroy()
  }
  reset(): void {
    this.raw.reset()
  }
}

/** What happens on the accepting side of a network, and what of it is still there. */
export class Network {
  /** Accepted sockets that are not closed. */
  readonly open = new Set<Transport.RawSocket>()
  /** Every write of the accepting side. */
  readonly writes: Array<string> = []
  deliveredBytes = 0
  arrived = 0
  /** Fibers and timers that have begun and not ended. */
  fibers = 0
  fibersStarted = 0
  timers = 0

  accept(raw: Transport.RawSocket): Transport.RawSocket {
    const watched = new Watched(raw, this)
    this.arrived++
    this.open.add(watched)
    return watched
  }
}

/** A transport that tells a `Network` what it accepts. */
export const watch = (
  network: Network,
  transport: Transport.Transport["Service"]
): Transport.Transport["Service"] => ({
  connect: transport.connect,
  listen: (endpoint, options) =>
    transport.listen(endpoint, { ...options, onAccept: (raw) => options.onAccept(network.accept(raw)) })
})

/** Counts fibers and timers of what runs inside. */
const countRunning = (network: Network) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const sleep = (duration: Parameters<Clock.Clock["sleep"]>[0]) =>
      Effect.acquireUseRelease(
        Effect.sync(() => void network.timers++),
        () => clock.sleep(duration),
        () => Effect.sync(() => void network.timers--)
      )
    return effect.pipe(
      Effect.provideService(Clock.Clock, { ...clock, sleep }),
      Effect.provideService(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => {
          network.fibers++
          network.fibersStarted++
        },
        recordFiberEnd: () => void network.fibers--
      })
    )
  })

// --- logs ------------------------------------------------------------------------------------------------------------

/** One line of a log, as far as tests compare it. */
export interface Logged {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Collects what is logged, at all levels. */
export const collectLogs = (into: Array<Logged>): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
      into.push({
        level: logLevel,
        message: String(Array.isArray(message) ? message[0] : message),
        annotations: { ...fiber.getRef(References.CurrentLogAnnotations) }
      })
    })]),
    Layer.succeed(References.MinimumLogLevel, "All")
  )

/** Everything that a test of a server looks at. */
export interface World {
  readonly network: Network
  readonly logs: Array<Logged>
}

/** Runs a test in a world of its own: a network in memory, virtual time, collected logs. */
export const inWorld = <A, E>(
  test: (world: World) => Effect.Effect<A, E, Transport.Transport | Scope.Scope>
): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    const network = new Network()
    const logs: Array<Logged> = []
    const transport = watch(network, yield* MemoryTransport.make)
    const scope = yield* Scope.make()
    return yield* test({ network, logs }).pipe(
      Scope.provide(scope),
      Effect.onExit((exit) => passing(Scope.close(scope, exit))),
      countRunning(network),
      Effect.provideService(Transport.Transport, transport),
      Effect.provide(collectLogs(logs))
    )
  })

/** Checks that a world is empty: no socket, no timer, no fiber but the `fibers` that run the test itself. */
export const assertNothingLeft = (network: Network, fibers: number): void => {
  assert.deepStrictEqual({ sockets: network.open.size, timers: network.timers, fibers: network.fibers }, {
    sockets: 0,
    timers: 0,
    fibers
  })
}

// --- servers ---------------------------------------------------------------------------------------------------------

/** What a server has told so far, and what it was asked to do with a request. */
export class Told {
  readonly events: Array<Server.Event> = []

  /** The connections that ended: the reason, in plain words, of each. */
  get ends(): Array<string> {
    return this.events.flatMap((event) => event._tag === "Ended" ? [CloseReason.format(event.reason)] : [])
  }

  /** The tags of the events of one connection, or of the server. */
  tags(id?: number): Array<Server.Event["_tag"]> {
    return this.events.filter((event) => id === undefined || ("id" in event && event.id === id)).map(({ _tag }) => _tag)
  }

  of<Tag extends Server.Event["_tag"]>(tag: Tag): Array<Extract<Server.Event, { readonly _tag: Tag }>> {
    return this.events.filter((event): event is Extract<Server.Event, { readonly _tag: Tag }> => event._tag === tag)
  }
}

/** The counts of connections, of all that a server counts. */
export const counts = ({ accepted, ended, open, refused, waiting }: Server.Stats) => ({
  accepted,
  open,
  ended,
  refused,
  waiting
})

export const memory = "memory:server"

/** Starts a server of lines in memory, whose events are kept. */
export const serveText = <E, R>(
  handler: (request: string, connection: Server.Info) => Effect.Effect<string, E, R>,
  options: Server.Options = {}
) => {
  const told = new Told()
  return Effect.map(
    Server.make(Text, memory, handler, { ...options, onEvent: (event) => void told.events.push(event) }),
    (server) => ({ ...server, told })
  )
}

/** Starts a server whose handler has the whole connection, with its events. */
export const serveConnection = <E, R>(
  handler: (connection: Connection.Connection<string>) => Effect.Effect<unknown, E, R>,
  options: Server.ConnectionOptions<string> = {}
) => {
  const told = new Told()
  return Effect.map(
    Server.makeConnection(line, memory, handler, { ...options, onEvent: (event) => void told.events.push(event) }),
    (server) => ({ ...server, told })
  )
}

/** Dials the server in memory. */
export const dial = Effect.suspend(() => peer(Endpoint.memoryUnsafe("server")))

/** A server that does nothing by itself: it hears lines, and says what the test tells it to. */
class Script {
  readonly peers: Array<Peer> = []
  /** The one peer of most tests. */
  get peer(): Peer {
    return this.peers[0] ?? assert.fail("nobody has connected")
  }
  /** The lines heard so far. */
  get heard(): Array<string> {
    return this.peer.heard.split("\n").slice(0, -1)
  }
}

/** Listens as a server without a protocol in it. */
export const script = Effect.gen(function*() {
  const script = new Script()
  const transport = yield* Transport.Transport
  yield* transport.listen(Endpoint.memoryUnsafe("server"), {
    backlog: 1,
    onAccept: (raw) => void script.peers.push(new Peer(raw))
  })
  return script
})

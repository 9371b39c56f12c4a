/**
 * Servers keep the laws, on every transport; and every law can fail: each of the broken servers has one bug, and one law
 * that says what it is.
 */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, type Layer, Scheduler, Scope, Semaphore } from "effect"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  CloseReason,
  type Connection,
  MemoryTransport,
  NodeTransport,
  Protocol,
  Server,
  type Transport
} from "../../src/index.ts"
import { type Law, ServerLaws } from "../../src/testing/index.ts"
import * as Broken from "../support/brokenTransport.ts"
import { YieldingAnywhere } from "../support/connectionLaws.ts"
import { line } from "../support/network.ts"
import { overLink, twoHosts } from "../support/simulatedNetwork.ts"
import { overTls } from "../support/tls.ts"
import * as Work from "../support/work.ts"

const utf8 = new TextEncoder()

const Lines = Protocol.make("lines", { request: line, response: line, goodbye: { overLimit: "full" } })

const lines: ServerLaws.Spec<string, string> = {
  endpoint: "memory:laws",
  protocol: Lines,
  samples: ["", "a", "hello", "straße 😀", "x".repeat(1000)],
  answer: (text) => text === "large" ? "L".repeat(50_000) : text.toUpperCase(),
  large: "large",
  bad: {
    "a line that is too long": { bytes: utf8.encode("x".repeat(100_001)), reason: "FrameTooLarge" },
    "a line that is no text": { bytes: Uint8Array.of(0xff, 10), reason: "FrameCorrupt" },
    "a line that is cut short": { bytes: utf8.encode("abc"), ends: true, reason: "FrameTruncated" }
  }
}

const keepsTheLaws = <Request, Response>(
  spec: ServerLaws.Spec<Request, Response>,
  layer: Layer.Layer<Transport.Transport>,
  scheduler: () => Scheduler.Scheduler = () => new Scheduler.MixedScheduler()
): void => {
  for (const [name, law] of Object.entries(ServerLaws.laws)) {
    it.effect(
      name,
      () => law(spec).pipe(Effect.provide(layer), Effect.provideService(Scheduler.Scheduler, scheduler())),
      { timeout: 60_000 }
    )
  }
}

describe("memory", () => keepsTheLaws({ ...lines, options: { runs: 60 } }, MemoryTransport.layer))
describe("memory, with fibers that yield anywhere", () =>
  keepsTheLaws(
    { ...lines, quietTurns: 100, options: { runs: 8 } },
    MemoryTransport.layer,
    () => new YieldingAnywhere()
  ))
describe("frames of JSON, with failures", () =>
  keepsTheLaws(
    {
      endpoint: "memory:laws",
      protocol: Work.Work,
      samples: [0, 1, 2, 3, 4_000_000].map((times) => ({ times })),
      answer: Work.answer,
      bad: Work.bad,
      options: { runs: 20 }
    },
    MemoryTransport.layer
  ))
describe("simulated", () =>
  keepsTheLaws({ ...lines, ...overLink, options: { runs: 20 } }, twoHosts({ latency: 0, segmenting: "random" })))
describe("tcp", () =>
  keepsTheLaws(
    { ...lines, endpoint: "tcp://127.0.0.1:0", quietTurns: 300, maxBufferedBytes: 1 << 26, options: { runs: 3 } },
    NodeTransport.layer
  ))
describe("tls", () => keepsTheLaws({ ...lines, quietTurns: 60, options: { runs: 3 } }, overTls(MemoryTransport.layer)))
describe("unix", () =>
  keepsTheLaws(
    {
      ...lines,
      endpoint: `unix:${join(tmpdir(), `hawser-server-${process.pid}.sock`)}`,
      resets: false,
      quietTurns: 300,
      maxBufferedBytes: 1 << 26,
      options: { runs: 3 }
    },
    NodeTransport.layer
  ))

type Serve = NonNullable<ServerLaws.Spec<string, string>["serve"]>
type Own = (
  connection: Connection.Connection<string>,
  answer: (request: string) => Effect.Effect<string, unknown, Scope.Scope>,
  batch: ReadonlyArray<string>
) => Effect.Effect<unknown, unknown, Scope.Scope>

/** A server with a loop of its own. */
const own = (serve: Own): Serve => (handler, options) =>
  Server.makeConnection(
    line,
    "memory:laws",
    (connection) => {
      const answer = (request: string) => Effect.suspend(() => handler(request, connection))
      const loop: Effect.Effect<never, unknown, Scope.Scope> = Effect.flatMap(
        connection.pull,
        (batch) => Effect.andThen(serve(connection, answer, batch), loop)
      )
      return loop
    },
    { ...options, goodbye: { overLimit: "full" } }
  )

const oneByOne: Own = (connection, answer, batch) =>
  Effect.forEach(batch, (request) => Effect.flatMap(answer(request), (text) => connection.write([text])))

describe("a server with a loop of its own", () =>
  keepsTheLaws({ ...lines, serve: own(oneByOne), options: { runs: 20 } }, MemoryTransport.layer))

interface Planted {
  readonly bug: string
  readonly law: keyof typeof ServerLaws.laws
  /** What the law says, or its beginning. */
  readonly says: string
  readonly serve?: Serve
  readonly layer?: Layer.Layer<Transport.Transport>
}

const make = (handler: ServerLaws.Handler<string, string>, options: Server.Options) =>
  Server.make(Lines, "memory:laws", handler, options)

/** A server that tells something else. */
const telling =
  (tell: (event: Server.Event, tell: (event: Server.Event) => void) => void): Serve => (handler, options) =>
    make(handler, { ...options, onEvent: (event) => tell(event, (told) => options.onEvent?.(told)) })

const planted: ReadonlyArray<Planted> = [
  {
    bug: "answers what came together backwards",
    law: "answers",
    says: "a peer that asked [",
    serve: own((connection, answer, batch) => oneByOne(connection, answer, batch.toReversed()))
  },
  {
    bug: "ends a connection that is idle between two requests",
    law: "answers",
    says: "a connection in use was ended",
    serve: own((connection, answer, batch) => Effect.andThen(oneByOne(connection, answer, batch), connection.finish))
  },
  {
    bug: "ends its side with the peer",
    law: "halfClosed",
    says: "a half-closed peer asked [",
    layer: Broken.sockets(
      () => ({}),
      Broken.hearing((handler, raw) => ({
        onEnd: () => {
          raw.end()
          handler.onEnd()
        }
      }))
    )
  },
  {
    bug: "does not wait for a peer that does not read",
    law: "backpressure",
    says: "for a peer that does not read, 2100042 bytes of answers were made, the limit is 1048576",
    serve: own((connection, answer, batch) =>
      Effect.forEach(
        batch,
        (request) => Effect.flatMap(answer(request), (text) => Effect.forkDetach(connection.write([text])))
      )
    )
  },
  {
    bug: "has one handler for all",
    law: "isolation",
    says: "beside one that is ",
    serve: (handler, options) => {
      const permit = Semaphore.makeUnsafe(1)
      return make((request, connection) => permit.withPermits(1)(handler(request, connection)), options)
    }
  },
  {
    bug: "dies with the first handler that dies",
    law: "isolation",
    says: "beside one that is ",
    serve: (handler, options) =>
      Effect.suspend(() => {
        let drain: Effect.Effect<unknown> = Effect.void
        const start = make(
          (request, connection) =>
            Effect.tapCause(Effect.suspend(() => handler(request, connection)), () => Effect.forkDetach(drain)),
          options
        )
        return Effect.tap(start, (server) =>
          Effect.sync(() => {
            drain = server.drain
          }))
      })
  },
  {
    bug: "tells an end twice",
    law: "endings",
    says: "one that is ",
    serve: telling((event, tell) => {
      tell(event)
      if (event._tag === "Ended") tell(event)
    })
  },
  {
    bug: "hides that a handler failed",
    law: "endings",
    says: "one that is ",
    serve: telling((event, tell) =>
      tell(
        event._tag === "Ended" && event.reason._tag === "HandlerFailed"
          ? { ...event, reason: CloseReason.closed }
          : event
      )
    )
  },
  {
    bug: "forgets to tell who broke the connection",
    law: "endings",
    says: "one that is resetting ended with no reason, expected PeerReset",
    serve: telling((event, tell) =>
      event._tag === "Ended" && event.reason._tag === "PeerReset" ? undefined : tell(event)
    )
  },
  {
    bug: "lets one more in",
    law: "limit",
    says: "of 1 places the server says {\"accepted\":2,",
    serve: (handler, options) => make(handler, { ...options, maxConnections: (options.maxConnections ?? 1) + 1 })
  },
  {
    bug: "lets nobody wait",
    law: "limit",
    says: "of 1 places the server says {\"accepted\":1,\"open\":1,\"ended\":0,\"refused\":1,\"waiting\":0}",
    serve: (handler, options) =>
      make(handler, {
        ...options,
        overflow: typeof options.overflow === "object" ? options.overflow.otherwise : options.overflow
      })
  },
  {
    bug: "lets them wait too long",
    law: "limit",
    says: "of 1 places the server says {\"accepted\":1,\"open\":1,\"ended\":0,\"refused\":0,\"waiting\":1}",
    serve: (handler, options) =>
      make(handler, {
        ...options,
        overflow: typeof options.overflow === "object" ? { ...options.overflow, timeout: 110 } : options.overflow
      })
  },
  {
    bug: "says another goodbye",
    law: "limit",
    says: "one that was refused with goodbye heard \"go away\\n\" instead of \"full\\n\"",
    serve: (handler, options) =>
      Server.make({ ...Lines, goodbye: { overLimit: "go away" } }, "memory:laws", handler, options)
  },
  {
    bug: "closes where it should reset",
    law: "limit",
    says: "one that was refused with reset did not hear it",
    serve: (handler, options) =>
      make(handler, { ...options, overflow: options.overflow === "reset" ? "close" : options.overflow })
  },
  {
    bug: "takes longer than it may",
    law: "drain",
    says: "the drain is not over after ",
    serve: (handler, options) =>
      make(handler, {
        ...options,
        drain: {
          ...options.drain,
          grace: Duration.sum(Duration.fromInputUnsafe(options.drain?.grace ?? 0), Duration.millis(20))
        }
      })
  },
  {
    bug: "goes on listening while it drains",
    law: "drain",
    says: "a server that drains has let somebody in",
    layer: Broken.transport((memory) => ({
      listen: (endpoint, options) =>
        Effect.map(memory.listen(endpoint, options), (listener) => ({ ...listener, close: Effect.void }))
    }))
  },
  {
    bug: "reports a connection too few",
    law: "drain",
    says: "the report is ",
    serve: (handler, options) =>
      Effect.map(make(handler, options), (server) => ({
        ...server,
        drain: Effect.map(server.drain, (report) => ({ ...report, drained: Math.max(0, report.drained - 1) }))
      }))
  },
  {
    bug: "forgets one kind of connection: half closed, and not reading",
    law: "drain",
    says: "after the drain 1 sockets are open",
    layer: Broken.sockets(() => ({}), (raw) => {
      let ended = false
      return {
        ...Broken.hearing((handler) => ({
          onEnd: () => {
            ended = true
            handler.onEnd()
          }
        }))(raw),
        destroy: () => ended ? undefined : raw.destroy()
      }
    })
  },
  {
    bug: "cuts everybody",
    law: "graceful",
    says: "of 4 peers that end when they are told, ",
    serve: (handler, options) => make(handler, { ...options, drain: { grace: 0, force: 50 } })
  },
  {
    bug: "loses the beginning of a frame",
    law: "graceful",
    says: "one whose request has begun, while the server drains, asked [",
    layer: Broken.sockets(() => ({}), (raw) => {
      let bytes = 0
      return Broken.hearing((handler) => ({
        onData: (chunk) => {
          bytes += chunk.length
          if (bytes > 1) handler.onData(chunk)
        }
      }))(raw)
    })
  },
  {
    bug: "leaves a fiber",
    law: "close",
    says: "when the server was closed, 0 sockets, 1 fibers and 0 timers are left",
    serve: (handler, options) => Effect.tap(make(handler, options), () => Effect.forkDetach(Effect.never))
  },
  {
    bug: "leaves a timer",
    law: "close",
    says: "when the server was closed, 0 sockets, 1 fibers and 1 timers are left",
    serve: (handler, options) => Effect.tap(make(handler, options), () => Effect.forkDetach(Effect.sleep("1 day")))
  },
  {
    bug: "is not closed with its scope",
    law: "close",
    says: "a server that is closed has let somebody in",
    serve: (handler, options) => Effect.flatMap(Scope.make(), (scope) => Scope.provide(make(handler, options), scope))
  }
]

/** Runs the law, which must be broken. */
const broken = ({ law, layer, serve }: Planted): Effect.Effect<Law.LawViolation> =>
  Effect.flip(ServerLaws.laws[law]({ ...lines, serve, options: { runs: 100, maxShrinks: 30, seed: 1 } })).pipe(
    Effect.orDie,
    Effect.provide(layer ?? MemoryTransport.layer)
  )

describe("a law says what is wrong with a server that", () => {
  for (const each of planted) {
    it.effect(`${each.bug} (${each.law})`, () =>
      Effect.gen(function*() {
        const violation = yield* broken(each)
        assert.deepStrictEqual(
          { law: violation.law, says: violation.broken.slice(0, each.says.length) },
          { law: `ServerLaws.${each.law}`, says: each.says }
        )
      }), { timeout: 20_000 })
  }

  it.effect("a violation is replayed from what it prints", () =>
    Effect.gen(function*() {
      const serve: Serve = (handler, options) => make(handler, { ...options, maxConnections: 5 })
      const spec = { ...lines, serve }
      const limit = (options: Law.Options) =>
        Effect.flip(ServerLaws.laws.limit({ ...spec, options })).pipe(Effect.provide(MemoryTransport.layer))
      const first = yield* limit({ runs: 100, seed: 7 })
      const again = yield* limit({ runs: 100, replay: first.replay })
      assert.include(first.message, `replay: ${first.replay}`)
      assert.deepStrictEqual([again.broken, again.counterexample], [first.broken, first.counterexample])
    }))

  it("each law has been broken", () => {
    assert.deepStrictEqual(
      Object.keys(ServerLaws.laws).filter((name) => !planted.some(({ law }) => law === name)),
      []
    )
  })
})

/**
 * Clients keep the laws, on every transport; and every law can fail: each of the broken clients has one bug, and one law
 * that says what it is.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, type Pull, Scheduler, Scope } from "effect"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Client, CloseReason, Connection, MemoryTransport, NodeTransport, type Transport } from "../../src/index.ts"
import { ClientLaws } from "../../src/testing/index.ts"
import * as Broken from "../support/brokenTransport.ts"
import { YieldingAnywhere } from "../support/connectionLaws.ts"
import { line, Text } from "../support/network.ts"
import { overLink, twoHosts } from "../support/simulatedNetwork.ts"
import { overTls } from "../support/tls.ts"
import * as Work from "../support/work.ts"

const utf8 = new TextEncoder()

const lines: ClientLaws.Spec<string, string> = {
  endpoint: "memory:laws",
  protocol: Text,
  request: (n) => `request ${n}`,
  answer: (text) => `answer to ${text}`,
  large: (n) => `${n} ${"x".repeat(80_000)}`,
  bad: {
    "a line that is too long": { bytes: utf8.encode("x".repeat(100_001)), reason: "FrameTooLarge" },
    "a line that is no text": { bytes: Uint8Array.of(0xff, 10), reason: "FrameCorrupt" },
    "a line that is cut short": { bytes: utf8.encode("abc"), ends: true, reason: "FrameTruncated" }
  }
}

const keepsTheLaws = <Request, Response>(
  spec: ClientLaws.Spec<Request, Response>,
  layer: Layer.Layer<Transport.Transport>,
  scheduler: () => Scheduler.Scheduler = () => new Scheduler.MixedScheduler()
): void => {
  for (const [name, law] of Object.entries(ClientLaws.laws)) {
    it.effect(
      name,
      () => law(spec).pipe(Effect.provide(layer), Effect.provideService(Scheduler.Scheduler, scheduler())),
      { timeout: 60_000 }
    )
  }
}

const real = { quietTurns: 300, options: { runs: 4 } }

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
      request: (times) => ({ times }),
      answer: Work.answer,
      bad: Work.bad,
      options: { runs: 20 }
    },
    MemoryTransport.layer
  ))
describe("simulated", () =>
  keepsTheLaws({ ...lines, ...overLink, options: { runs: 20 } }, twoHosts({ latency: 0, segmenting: "random" })))
describe("tcp", () => keepsTheLaws({ ...lines, ...real, endpoint: "tcp://127.0.0.1:0" }, NodeTransport.layer))
describe("tls", () => keepsTheLaws({ ...lines, quietTurns: 60, options: { runs: 3 } }, overTls(MemoryTransport.layer)))
describe("unix", () =>
  keepsTheLaws(
    {
      ...lines,
      ...real,
      endpoint: `unix:${join(tmpdir(), `hawser-client-${process.pid}.sock`)}`,
      resets: false
    },
    NodeTransport.layer
  ))

type Connect = NonNullable<ClientLaws.Spec<string, string>["connect"]>

/** A client that thinks too simply of the wire: whoever is first in its list gets the next answer. */
const simple: Connect = (_, endpoint) =>
  Effect.gen(function*() {
    const connection = yield* Connection.connect(endpoint, line)
    const waiting: Array<(answer: Effect.Effect<string>) => void> = []
    const spare: Array<string> = []
    const loop: Pull.Pull<never, unknown> = Effect.flatMap(connection.pull, (batch) => {
      for (const answer of batch) {
        const first = waiting.shift()
        if (first === undefined) spare.push(answer)
        else first(Effect.succeed(answer))
      }
      return loop
    })
    yield* Effect.forkScoped(Effect.ignore(loop), { startImmediately: true })
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const settled = (request: string) =>
      Effect.callback<string>((resume) => {
        const answer = spare.shift()
        if (answer !== undefined) return resume(Effect.succeed(answer))
        waiting.push(resume)
        fork(Effect.ignore(connection.write([request])))
        // The bug of givenUp: its answer is still on its way.
        return Effect.sync(() => void waiting.splice(waiting.indexOf(resume), 1))
      })
    return { call: settled }
  })

/** A client whose calls do something else. */
const calling = (
  change: (call: Effect.Effect<string, Client.ClientError>, request: string) => Effect.Effect<string, unknown>
): Connect =>
(protocol, endpoint, options) =>
  Effect.map(Client.make({ ...protocol, isFailure: undefined }, endpoint, options), ({ call }) => ({
    call: (request: string) => change(call(request), request)
  }))

/** A client whose errors say something else. */
const saying = (change: (error: Client.ClientError) => Partial<Client.ClientError>): Connect =>
  calling((call) => Effect.mapError(call, (error) => new Client.ClientError({ ...error, ...change(error) })))

interface Planted {
  readonly bug: string
  readonly law: keyof typeof ClientLaws.laws
  /** What the law says, or its beginning. */
  readonly says: string
  readonly connect?: Connect
  readonly layer?: Layer.Layer<Transport.Transport>
}

const planted: ReadonlyArray<Planted> = [
  {
    bug: "gives each call the answer of the one before",
    law: "answers",
    says: "the call of \"request 1\" is {\"_tag\":\"Answered\",\"answer\":\"answer to request 0\"}",
    connect: (protocol, endpoint, options) => {
      let before: string | undefined = undefined
      return calling((call) =>
        Effect.map(call, (answer) => {
          const given = before ?? answer
          before = answer
          return given
        })
      )(protocol, endpoint, options)
    }
  },
  {
    bug: "has one too many on their way",
    law: "answers",
    says: "2 requests are on their way, the depth is 1",
    connect: (protocol, endpoint, options) => Client.make({ ...protocol, depth: protocol.depth + 1 }, endpoint, options)
  },
  {
    bug: "loses a byte at the boundary of a chunk",
    law: "answers",
    says: "the call of \"request 0\" is {\"_tag\":\"Answered\",\"answer\":\"nswer to request 0\"}",
    layer: Broken.sockets(
      Broken.hearing((handler) => ({
        onData: (chunk) => handler.onData(chunk.length > 1 ? chunk : new Uint8Array(0))
      })),
      () => ({})
    )
  },
  {
    bug: "hands a late answer to the next call",
    law: "givenUp",
    says: "the call of \"request 1\" is {\"_tag\":\"Answered\",\"answer\":\"answer to request 0\"}",
    connect: (protocol, endpoint, options) =>
      Effect.map(simple(protocol, endpoint, options), ({ call }) => ({
        call: (request: string) =>
          Effect.timeoutOrElse(call(request), {
            duration: 100,
            orElse: () =>
              Effect.fail(new Client.ClientError({ reason: { _tag: "CallTimeout", limitMillis: 100 }, sent: "all" }))
          })
      }))
  },
  {
    bug: "takes no next call when one was interrupted",
    law: "givenUp",
    says: "the call of \"request 1\" is {\"_tag\":\"Outstanding\"}",
    connect: (protocol, endpoint, options) => {
      let stuck = false
      return calling((call) =>
        Effect.onInterrupt(Effect.suspend(() => stuck ? Effect.never : call), () =>
          Effect.sync(() => {
            stuck = true
          }))
      )(protocol, endpoint, options)
    }
  },
  {
    bug: "cannot be interrupted",
    law: "givenUp",
    says: "a call that was interrupted is Outstanding",
    connect: calling(Effect.uninterruptible)
  },
  {
    bug: "says that what it could not send whole was not sent",
    law: "blocked",
    says: "the call of \"0 xxx",
    connect: saying(() => ({ sent: "none" }))
  },
  {
    bug: "takes what the kernel has not taken for sent",
    law: "blocked",
    says: "14467 bytes are unsent, and the calls say sent: all",
    connect: saying(({ sent }) => ({ sent: sent === "partial" ? "all" : sent }))
  },
  {
    bug: "gives up too soon",
    law: "blocked",
    says: "a call to a server that does not read is Failed",
    connect: (protocol, endpoint, options) =>
      Client.make({ ...protocol, isFailure: undefined }, endpoint, { ...options, callTimeout: 40 })
  },
  {
    bug: "keeps what nobody asked for the next call",
    law: "unasked",
    says: "the call of \"request 0\" is {\"_tag\":\"Answered\",\"answer\":\"answer to request 0\"}, expected Pro",
    connect: simple
  },
  {
    bug: "hides why the connection ended",
    law: "endings",
    says:
      "the call of \"request 0\" is {\"_tag\":\"Failed\",\"reason\":\"Closed\",\"sent\":\"none\"}, expected PeerReset",
    connect: saying(({ reason }) => reason._tag === "PeerReset" ? { reason: CloseReason.closed } : {})
  },
  {
    bug: "says that everything was sent",
    law: "endings",
    says: "the call of \"request 0\" is {\"_tag\":\"Failed\",",
    connect: saying(() => ({ sent: "all" }))
  },
  {
    bug: "leaves a call hanging when the server resets",
    law: "endings",
    says: "the call of \"request 0\" is {\"_tag\":\"Outstanding\"}, expected PeerReset",
    connect: calling((call) => Effect.catchIf(call, (error) => error.reason._tag === "PeerReset", () => Effect.never))
  },
  {
    bug: "hangs in a call after the close",
    law: "close",
    says: "the call of \"request 2\" is {\"_tag\":\"Outstanding\"}, expected Closed",
    connect: calling((call) =>
      Effect.catchIf(call, (error) => error.reason._tag === "Closed" && error.sent === "none", () => Effect.never)
    )
  },
  {
    bug: "is not closed with its scope",
    law: "close",
    says: "the call of \"request 0\" is {\"_tag\":\"Outstanding\"}, expected Closed",
    connect: (protocol, endpoint, options) =>
      Effect.flatMap(Scope.make(), (scope) => Scope.provide(Client.make(protocol, endpoint, options), scope))
  },
  {
    bug: "leaves a fiber",
    law: "close",
    says: "when the client was closed, 0 sockets, 1 fibers and 0 timers are left",
    connect: (protocol, endpoint, options) =>
      Effect.tap(Client.make(protocol, endpoint, options), () => Effect.forkDetach(Effect.never))
  }
]

describe("a law says what is wrong with a client that", () => {
  for (const { bug, connect, law, layer, says } of planted) {
    it.effect(`${bug} (${law})`, () =>
      Effect.gen(function*() {
        const spec = { ...lines, connect, options: { runs: 100, maxShrinks: 30, seed: 1 } }
        const violation = yield* Effect.flip(ClientLaws.laws[law](spec)).pipe(
          Effect.provide(layer ?? MemoryTransport.layer)
        )
        assert.deepStrictEqual(
          { law: violation.law, says: violation.broken.slice(0, says.length) },
          { law: `ClientLaws.${law}`, says }
        )
      }), { timeout: 20_000 })
  }

  it("each law has been broken", () => {
    assert.deepStrictEqual(
      Object.keys(ClientLaws.laws).filter((name) => !planted.some(({ law }) => law === name)),
      []
    )
  })
})

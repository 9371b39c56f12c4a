import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { Fault, SimulatedNetwork } from "../../src/testing/index.ts"
import { type Ear, onNetwork, why } from "../support/simulatedNetwork.ts"

const settled = Effect.sleep(100)

describe("partitions", () => {
  it.effect("bytes under way are kept, and come in order when it is repaired", () =>
    onNetwork({ link: { latency: 5 } }, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("under way, ")
        yield* network.partition("client", "server")
        yield* Effect.sleep(1000)
        client.send("written meanwhile, ")
        client.raw.end()
        yield* settled
        assert.deepStrictEqual(server.heard, [])
        assert.deepStrictEqual(network.connections()[0]?.forward, {
          unsent: 0,
          inFlight: 30,
          unread: 0,
          read: 0,
          waits: "partition"
        })
        yield* network.repair("client", "server")
        yield* settled
        assert.strictEqual(server.text, "under way, written meanwhile, ")
        assert.deepStrictEqual(server.times, ["1215 data 11", "1215 data 19", "1215 end"])
      })))

  it.effect("one way: bytes arrive, and nobody acknowledges them, so the writer must wait", () =>
    onNetwork({ link: { windowBytes: 1000 } }, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        yield* network.partition("server", "client", { direction: "oneWay" })
        server.send("no way")
        client.raw.write([new Uint8Array(1500)])
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [[], ["data 1000"]])
        assert.strictEqual(network.connections()[0]?.forward.waits, "acknowledgement")
        assert.isFalse(client.send("and more"))
        assert.strictEqual(client.raw.bytesUnsent, 508)
        yield* network.repair("client", "server")
        yield* settled
        assert.deepStrictEqual([client.times, server.times], [
          ["203 drain", "203 data 6"],
          ["103 data 1000", "204 data 508"]
        ])
      })))

  it.effect("dials get no answer, and try again as Linux does", () =>
    onNetwork({}, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        yield* listen()
        yield* network.partition("client", "server", { forMillis: 3500 })
        yield* dial()
        assert.strictEqual(network.now(), 7002) // asked at 0, 1, 3 and 7 s
        assert.strictEqual(network.counts.dialDropped, 3)
      })))

  it.effect("a dial that nobody answers times out", () =>
    onNetwork({ connectTimeout: "5 seconds" }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        yield* listen()
        yield* network.partition("server", "client", { direction: "oneWay" })
        assert.strictEqual(yield* why(dial()), "TimedOut ETIMEDOUT")
        assert.strictEqual(network.now(), 5000)
      })))

  it.effect("may say that there is no way, and may reset what is connected", () =>
    onNetwork({}, ({ dial, network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        yield* network.partition("server", "client", { dials: "reject", connections: "reset" })
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["close ECONNRESET"], ["close ECONNRESET"]])
        assert.strictEqual(yield* why(dial()), "Unreachable EHOSTUNREACH")
      })))

  it.effect("the end of one does not lift another; a repair lifts all", () =>
    onNetwork({}, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        yield* network.partition("client", "server", { forMillis: 50 })
        yield* network.stall("client", "server", { forMillis: 5000 })
        yield* network.partition("*", "*")
        client.send("x")
        yield* settled
        assert.deepStrictEqual([server.heard, network.counts.faultEnds], [[], 1])
        yield* network.repair("server", "*")
        yield* settled
        assert.deepStrictEqual(server.heard, ["data 1"])
      })))

  it.effect("who sends and is not answered gives up in the end; who only reads waits for ever", () =>
    onNetwork({ giveUp: "1 minute" }, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        yield* network.partition("client", "server")
        yield* Effect.sleep("1 hour")
        assert.deepStrictEqual(client.heard, [])
        client.send("anybody there?")
        yield* Effect.sleep("2 minutes")
        assert.deepStrictEqual([client.times, server.heard], [["3660102 close ETIMEDOUT"], []])
        assert.strictEqual(network.counts.timesOut, 1)
      })))

  it.effect("a repair in time keeps it from giving up", () =>
    onNetwork({ giveUp: "1 minute" }, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        yield* network.partition("client", "server", { forMillis: 59_000 })
        client.send("hello")
        yield* Effect.sleep("10 minutes")
        assert.deepStrictEqual([client.heard, server.heard], [[], ["data 5"]])
      })))
})

it.effect("a stall holds back one direction, and lets dials through", () =>
  onNetwork({}, ({ dial, network, pair }) =>
    Effect.gen(function*() {
      const { client, server } = yield* pair
      yield* network.stall("client", "server", { forMillis: 1000 })
      client.send("held")
      server.send("free")
      yield* dial()
      yield* settled
      assert.deepStrictEqual([client.heard, server.heard], [["data 4"], []])
      yield* Effect.sleep(1000)
      assert.deepStrictEqual(server.times, ["1103 data 4"])
    })))

describe("resets", () => {
  it.effect("at a time: both ends see it, and what is under way is lost", () =>
    onNetwork({}, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("lost")
        yield* network.reset("client", "server")
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["close ECONNRESET"], ["close ECONNRESET"]])
        assert.deepStrictEqual([network.counts.lost, network.connections()], [2, []])
      })))

  it.effect("at a byte: exactly so many are delivered, however they are cut", () =>
    Effect.forEach(
      ["whole", "drip", "random", [3, 4]] as const,
      (segmenting) =>
        Effect.forEach([0, 1, 7, 10], (atByte) =>
          onNetwork(
            { link: { segmenting }, faults: [Fault.reset("client", "server", { atByte })] },
            ({ dial, listen }) =>
              Effect.gen(function*() {
                const { accepted } = yield* listen()
                const client = yield* dial()
                client.send("0123456789")
                yield* settled
                const server = accepted[0]
                assert.strictEqual(server?.text, "0123456789".slice(0, atByte))
                assert.deepStrictEqual([client.heard, server?.heard.at(-1)], [["close ECONNRESET"], "close ECONNRESET"])
              })
          ))
    ))

  it.effect("may look like an end in the middle", () =>
    onNetwork(
      { faults: [Fault.reset("server", "client", { atByte: 3, seenAs: "end" })] },
      ({ pair }) =>
        Effect.gen(function*() {
          const { client, server } = yield* pair
          server.send("truncated")
          yield* settled
          assert.deepStrictEqual([client.heard, server.heard], [["data 3", "end"], ["close ECONNRESET"]])
          client.raw.end()
          yield* settled
          assert.deepStrictEqual(client.heard, ["data 3", "end", "close"])
        })
    ))

  it.effect("may mean one connection only", () =>
    onNetwork(
      { faults: [Fault.reset("client", "server", { atByte: 1, connection: 2 })] },
      ({ dial, listen }) =>
        Effect.gen(function*() {
          yield* listen()
          const clients: Array<Ear> = []
          for (let i = 0; i < 3; i++) clients.push(yield* dial())
          for (const client of clients) client.send("hello")
          yield* settled
          assert.deepStrictEqual(clients.map(({ heard }) => heard), [[], ["close ECONNRESET"], []])
        })
    ))

  it.effect("at a byte that has passed: never; at the one that is next: at once", () =>
    onNetwork({}, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("12345")
        yield* settled
        yield* network.reset("client", "server", { atByte: 4 })
        yield* settled
        assert.deepStrictEqual(server.heard, ["data 5"])
        yield* network.reset("client", "server", { atByte: 5 })
        yield* settled
        assert.deepStrictEqual(server.heard, ["data 5", "close ECONNRESET"])
      })))
})

it.effect("a byte is changed, and no other", () =>
  onNetwork({
    link: { segmenting: [2, 2] },
    faults: [Fault.corrupt("client", "server", 1), Fault.corrupt("client", "server", 4, { xor: 255 })]
  }, ({ network, pair }) =>
    Effect.gen(function*() {
      const { client, server } = yield* pair
      client.raw.write([Uint8Array.of(0, 0, 0, 0, 0, 0)])
      yield* settled
      assert.deepStrictEqual(server.chunks.flatMap((chunk) => Array.from(chunk)), [0, 1, 0, 0, 255, 0])
      assert.strictEqual(network.counts.corrupted, 2)
    })))

it.effect("a link changes for a time", () =>
  onNetwork(
    { faults: [Fault.setLink("client", "server", { latency: 50 }, { at: 100, forMillis: 100 })] },
    ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("slow")
        yield* settled
        client.send("fast again")
        yield* settled
        assert.deepStrictEqual(server.times, ["152 data 4", "203 data 10"])
      })
  ))

describe("crashes", () => {
  it.effect("of a program: peers are reset, dials refused, until it is up again", () =>
    onNetwork({}, ({ dial, listen, network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        const states: Array<string> = []
        network.host("server").watch((state) => states.push(state))
        yield* network.crash("server", { restartAfterMillis: 1000 })
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["close ECONNRESET"], ["close ECONNABORTED"]])
        assert.strictEqual(yield* why(dial()), "Refused ECONNREFUSED")
        assert.strictEqual(yield* why(listen()), "Unknown ENETDOWN")
        assert.strictEqual(yield* why(dial("tcp://client:1", "server")), "Unreachable ENETDOWN")
        assert.deepStrictEqual([network.host("server").isUp(), network.host("server").openDescriptors()], [false, 0])
        yield* Effect.sleep(1000)
        assert.deepStrictEqual(states, ["down", "up"])
        yield* listen()
        yield* dial()
      })))

  it.effect("of a machine: peers hear nothing, and a reset when they write after it is up again", () =>
    onNetwork({ connectTimeout: "2 seconds" }, ({ dial, network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        const quiet = yield* dial()
        yield* settled
        server.send("never arrives")
        yield* network.crash("server", { peers: "silent" })
        client.send("into the dark")
        yield* network.repair("*", "*") // of the network, not of the machine
        assert.strictEqual(yield* why(dial()), "TimedOut ETIMEDOUT")
        assert.deepStrictEqual([client.heard, server.heard], [[], ["close ECONNABORTED"]])
        assert.deepStrictEqual(network.describe().slice(0, 1), ["server is down"])
        yield* network.restart("server")
        yield* settled
        assert.deepStrictEqual([client.heard, quiet.heard], [["close ECONNRESET"], []])
        quiet.send("and I?")
        yield* settled
        assert.deepStrictEqual(quiet.heard, ["close ECONNRESET"])
        assert.deepStrictEqual(network.connections(), [])
      })))

  it.effect("end the dials of the host", () =>
    onNetwork({ link: { latency: 50 } }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        yield* listen()
        yield* network.inject(Fault.crash("client", { at: 30 }))
        assert.strictEqual(yield* why(dial()), "Unreachable ENETDOWN")
        assert.strictEqual(network.now(), 30)
      })))
})

describe("in the middle of a handshake", () => {
  it.effect("a machine that crashes leaves nothing at the other end", () =>
    onNetwork({ link: { latency: 10 } }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const { accepted } = yield* listen()
        const client = yield* dial()
        yield* network.crash("client", { peers: "silent" })
        yield* settled
        assert.deepStrictEqual([client.heard, accepted, network.connections()], [["close ECONNABORTED"], [], []])
      })))

  it.effect("a reset that should look like an end is a reset, also when the dialer has gone", () =>
    onNetwork({ link: { latency: 10 } }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const { accepted } = yield* listen()
        yield* network.stall("client", "server")
        const [one, other] = [yield* dial(), yield* dial()]
        one.raw.destroy()
        yield* network.reset("client", "server", { seenAs: "end" })
        yield* settled
        assert.deepStrictEqual([one.heard, other.heard], [["close"], ["close ECONNRESET"]])
        assert.deepStrictEqual([accepted, network.connections()], [[], []])
      })))
})

describe("dials", () => {
  it.effect("are refused, or get no answer, at one port for a time", () =>
    onNetwork({ connectTimeout: "1 second" }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        yield* listen()
        yield* listen("tcp://*:8000")
        yield* network.refuse("server", { port: 7000, forMillis: 500 })
        assert.strictEqual(yield* why(dial()), "Refused ECONNREFUSED")
        yield* dial("tcp://server:8000")
        yield* Effect.sleep(500)
        yield* dial()
        yield* network.blackHole("server")
        assert.strictEqual(yield* why(dial()), "TimedOut ETIMEDOUT")
        yield* network.accept("server", { port: 8000 })
        assert.strictEqual(yield* why(dial("tcp://server:8000")), "TimedOut ETIMEDOUT")
        yield* network.accept("server")
        yield* dial()
      })))

  it.effect("wait in the backlog while a host accepts nothing, and are then accepted in one burst", () =>
    onNetwork({ connectTimeout: "10 seconds" }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const { accepted } = yield* listen("tcp://*:7000", "server", 2)
        yield* network.holdAccepts("server", { port: 7000, forMillis: 2500 })
        const clients = [yield* dial(), yield* dial()]
        clients[0]?.send("written before the accept")
        yield* settled
        assert.deepStrictEqual([accepted, network.connections().map(({ state }) => state)], [[], [
          "waiting",
          "waiting"
        ]])
        clients[1]?.raw.reset()
        yield* dial() // the backlog is full: the third attempt gets through
        assert.deepStrictEqual(accepted.map(({ text }) => text), ["written before the accept"])
        yield* settled
        assert.deepStrictEqual([accepted.length, network.counts.dialDropped, network.counts.waits], [2, 2, 2])
      })))

  it.effect("a host without descriptors closes who comes, and can neither dial nor listen", () =>
    onNetwork({}, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const { accepted } = yield* listen()
        const first = yield* dial()
        yield* settled
        yield* network.exhaust("server", 2, { forMillis: 1000 })
        const second = yield* dial()
        yield* settled
        assert.deepStrictEqual([accepted.length, first.heard, second.heard], [1, [], ["end"]])
        assert.strictEqual(yield* why(listen("tcp://*:8000")), "Unknown EMFILE")
        assert.strictEqual(yield* why(dial("tcp://client:1", "server")), "Unknown EMFILE")
        yield* Effect.sleep(1000)
        yield* dial()
        yield* settled
        assert.deepStrictEqual([accepted.length, network.counts.exhausted], [2, 1])
      })))
})

describe("faults as data", () => {
  const injected = (fault: Fault.Fault) =>
    onNetwork({}, ({ network }) => Effect.result(network.inject(fault))).pipe(
      Effect.map((result) => Result.isFailure(result) ? result.failure.message : "injected")
    )

  it.effect("what cannot be is refused, with the rule", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* injected(Fault.crash("nobody")),
        "fault {\"_tag\":\"Crash\",\"host\":\"nobody\"}: there is no host nobody, the hosts are client, server"
      )
      assert.match(yield* injected(Fault.partition("client", "server", { at: -1 })), /at least 0|greater than or equal/)
      assert.match(yield* injected(Fault.corrupt("client", "server", 0, { xor: 256 })), /xor/)
      const misspelt = { ...Fault.crash("server"), forMilis: 1 }
      assert.match(yield* injected(misspelt), /forMilis/)
      assert.match(yield* injected(Fault.crash("server", { at: Number.NaN })), /"at":NaN.*finite/s)
      assert.match(yield* injected(JSON.parse("{\"_tag\":\"Crush\"}")), /_tag must be "Partition", .* or "Exhaust"$/)
      const planned = yield* Effect.flip(
        Effect.scoped(SimulatedNetwork.make({ faults: [{ ...Fault.crash("a"), host: "" }] }))
      )
      assert.strictEqual(planned._tag, "FaultError")
    }))

  it.effect("a plan survives JSON, adds its hosts and happens at its times", () =>
    Effect.gen(function*() {
      const plan = [Fault.crash("c", { at: 10, restartAfterMillis: 5 }), Fault.stall("a", "*", { at: 3, forMillis: 4 })]
      const read = yield* Schema.decodeUnknownEffect(Fault.Plan)(JSON.parse(JSON.stringify(plan)))
      assert.deepStrictEqual(read, plan)
      yield* onNetwork({ hosts: undefined, faults: read }, ({ network }) =>
        Effect.gen(function*() {
          yield* settled
          assert.deepStrictEqual(network.hosts().map(({ name }) => name), ["c", "a"])
          assert.deepStrictEqual(network.trace.lines, [
            "     3.000 a > * fault Stall",
            "     7.000 a > * faultEnds Stall",
            "    10.000 c fault Crash",
            "    10.000 c crashed reset",
            "    15.000 c restarted"
          ])
        }))
    }))
})

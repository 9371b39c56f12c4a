import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Endpoint, Transport } from "../../src/index.ts"
import { Fault, type SimulatedLink, SimulatedNetwork, Trace, VirtualTime } from "../../src/testing/index.ts"
import { Ear, onNetwork, why } from "../support/simulatedNetwork.ts"

const settled = Effect.sleep(100)

/** RFC 6335, section 6. */
const firstPort = 49_152
const ports = 65_536 - firstPort

describe("TCP, as programs see it", () => {
  it.effect("bytes come after the latency, in order, and the end after them", () =>
    onNetwork({ link: { latency: 5 } }, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("one")
        client.raw.end()
        yield* settled
        server.send("answer")
        server.raw.end()
        yield* settled
        assert.deepStrictEqual(server.times, ["115 data 3", "115 end", "210 close"])
        assert.deepStrictEqual(client.times, ["215 data 6", "215 end", "215 close"])
      })))

  it.effect("what is written at one moment arrives as one chunk, as three small writes in one tick of Node do", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("on")
        client.send("e!")
        client.send("..")
        yield* settled
        client.send("two")
        yield* settled
        assert.deepStrictEqual(server.heard, ["data 6", "data 3"])
        assert.strictEqual(server.text, "one!..two")
      })))

  it.effect("who destroys a socket with unread bytes resets its peer", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.raw.pause()
        client.send("unread")
        yield* settled
        server.raw.destroy()
        yield* settled
        assert.deepStrictEqual([server.heard, client.heard], [["close"], ["close ECONNRESET"]])
      })))

  it.effect("who destroys a socket that read everything ends it", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("read")
        yield* settled
        server.raw.destroy()
        yield* settled
        assert.deepStrictEqual([server.heard, client.heard], [["data 4", "close"], ["end"]])
      })))

  it.effect("the first write to a peer that has closed succeeds, the second breaks the socket with EPIPE", () =>
    onNetwork({}, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.raw.destroy()
        yield* settled
        assert.isTrue(client.send("first"))
        yield* settled
        assert.deepStrictEqual(client.heard, ["end"])
        client.send("second")
        yield* settled
        assert.deepStrictEqual(client.heard, ["end", "close EPIPE"])
        assert.strictEqual(network.counts.resets, 1)
      })))

  it.effect("a reset destroys what has come and was not read, and what comes with it", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.raw.pause()
        server.send("before")
        yield* settled
        server.send("together with the reset")
        server.raw.reset()
        yield* settled
        client.raw.resume()
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["close ECONNRESET"], ["close"]])
      })))

  it.effect("a reset that comes with data destroys it, also for a reader that waits", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.send("read before, ")
        yield* Effect.sleep(1)
        server.send("together with the reset")
        server.raw.reset()
        yield* settled
        assert.deepStrictEqual(client.heard, ["data 13", "close ECONNRESET"])
      })))

  it.effect("a reset that comes with data and an end leaves no end without the data", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.send("lost")
        server.raw.end()
        server.raw.reset()
        yield* settled
        assert.deepStrictEqual(client.heard, ["close ECONNRESET"])
      })))

  it.effect("a reset behind segments of any latency leaves no hole", () =>
    Effect.forEach(
      Array.from({ length: 50 }, (_, seed) => seed),
      (seed) =>
        onNetwork({ seed, link: { latency: { _tag: "Uniform", minMillis: 0, maxMillis: 50 } } }, ({ pair }) =>
          Effect.gen(function*() {
            const { client, server } = yield* pair
            for (const text of ["0", "1", "2", "3", "4", "5"]) {
              server.send(text)
              yield* Effect.sleep(5)
            }
            server.raw.reset()
            yield* settled
            assert.isTrue("012345".startsWith(client.text), client.text)
            assert.strictEqual(client.heard.at(-1), "close ECONNRESET")
          }))
    ))

  it.effect("a reset that comes with data looks like an end after it, on links that say so", () =>
    onNetwork({ link: { resets: "end" } }, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.send("the data")
        server.raw.reset()
        yield* settled
        assert.deepStrictEqual(client.heard, ["data 8", "end"])
        client.send("into the void")
        yield* settled
        assert.deepStrictEqual(client.heard, ["data 8", "end", "close EPIPE"])
      })))

  it.effect("each side ends on its own, and the other goes on", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.raw.end()
        client.send("too late")
        yield* settled
        server.send("still here")
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["data 10"], ["end"]])
        server.raw.end()
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["data 10", "end", "close"], ["end", "close"]])
      })))

  it.effect("a writer waits for a reader: no more than the window is taken, and it is told when all has left", () =>
    onNetwork({ link: { windowBytes: 1000 } }, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.raw.pause()
        assert.isTrue(client.raw.write([new Uint8Array(1000)]))
        assert.isFalse(client.raw.write([new Uint8Array(1500)]))
        yield* settled
        assert.deepStrictEqual([client.raw.bytesUnsent, client.heard, server.bytes], [1500, [], 0])
        const [connection] = network.connections()
        assert.deepStrictEqual(connection?.forward, {
          unsent: 1500,
          inFlight: 0,
          unread: 1000,
          read: 0,
          waits: "reader paused"
        })
        server.raw.resume()
        yield* settled
        assert.deepStrictEqual([client.raw.bytesUnsent, client.heard, server.bytes], [0, ["drain"], 2500])
        assert.deepStrictEqual([network.counts.blocked, network.counts.drained], [1, 1])
      })))

  it.effect("who was told to wait is told to go on, also when it writes again before that", () =>
    onNetwork({ link: { windowBytes: 1000 } }, ({ pair }) =>
      Effect.gen(function*() {
        const { client } = yield* pair
        const clock = yield* VirtualTime.VirtualTime
        // When everything is acknowledged, and before anybody is told.
        clock.at(clock.now() + 2, () => void client.raw.write([new Uint8Array(1)]))
        assert.isFalse(client.raw.write([new Uint8Array(1001)]))
        yield* settled
        assert.deepStrictEqual([client.heard, client.raw.bytesUnsent], [["drain"], 0])
      })))

  it.effect("bytes come in the pieces of the link; what waits for the reader is joined, or keeps them", () =>
    Effect.gen(function*() {
      const sizes = (link: SimulatedLink.Settings, isPaused = false, seed = 0) =>
        onNetwork({ seed, link: { maxSegmentBytes: 6, ...link } }, ({ pair }) =>
          Effect.gen(function*() {
            const { client, server } = yield* pair
            if (isPaused) server.raw.pause()
            client.raw.write([new Uint8Array(10)])
            yield* settled
            server.raw.resume()
            yield* settled
            return server.chunks.map((chunk) => chunk.length)
          }))
      const uneven: SimulatedLink.Settings = { latency: { _tag: "Uniform", minMillis: 1, maxMillis: 2 } }
      for (const link of [{}, uneven]) {
        assert.deepStrictEqual(yield* sizes(link), [6, 4])
        assert.deepStrictEqual(yield* sizes({ ...link, segmenting: "drip" }), Array.from({ length: 10 }, () => 1))
        assert.deepStrictEqual(yield* sizes({ ...link, segmenting: [1, 2, 9] }), [1, 2, 6, 1])
        const shapes = new Set<string>()
        for (let seed = 0; seed < 20; seed++) {
          const random = yield* sizes({ ...link, segmenting: "random" }, false, seed)
          assert.strictEqual(random.reduce((sum, size) => sum + size), 10)
          shapes.add(random.join())
        }
        assert.isAbove(shapes.size, 10)
        assert.deepStrictEqual(yield* sizes({ ...link, segmenting: "drip" }, true), [10])
        assert.deepStrictEqual(yield* sizes({ ...link, unread: "keep", segmenting: [3, 2, 5] }, true), [3, 2, 5])
      }
    }))

  it.effect("latencies are drawn from the link's distribution", () =>
    Effect.gen(function*() {
      const delays = (latency: SimulatedLink.Latency, pairMillis = 0) =>
        onNetwork({ link: { latency, pairMillis }, seed: 5 }, ({ pair }) =>
          Effect.gen(function*() {
            const { client, server } = yield* pair
            for (let i = 0; i < 1000; i++) {
              client.send("x")
              yield* settled
            }
            // Sent at one of the hundreds of milliseconds after the pair was there.
            const first = Number(server.times[0]?.split(" ")[0])
            const start = first - first % 100
            return server.times.map((time, i) => Number(time.split(" ")[0]) - start - 100 * i)
          }))
      const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value) / values.length
      const spread = (values: ReadonlyArray<number>) => Math.max(...values) - Math.min(...values)
      assert.approximately(spread(yield* delays(7)), 0, 1e-6)
      assert.approximately(spread(yield* delays({ _tag: "Fixed", millis: 7 }, 50)), 0, 1e-6)
      const uniform = yield* delays({ _tag: "Uniform", minMillis: 10, maxMillis: 30 })
      assert.approximately(spread(uniform), 20, 0.1)
      assert.approximately(mean(uniform) - Math.min(...uniform), 10, 0.7)
      const exponential = yield* delays({ _tag: "Exponential", minMillis: 1, meanMillis: 6 })
      assert.approximately(mean(exponential) - Math.min(...exponential), 5, 0.5)
      assert.isAtMost(spread(exponential), 50)
      const bimodal = yield* delays({ _tag: "Bimodal", fastMillis: 1, slowMillis: 40, slowRatio: 0.1 })
      assert.strictEqual(new Set(bimodal.map(Math.round)).size, 2)
      assert.approximately(mean(bimodal) - Math.min(...bimodal), 3.9, 1)
    }))

  it.effect("a window passes once per round trip", () =>
    onNetwork({ link: { windowBytes: 1000, latency: 10 } }, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.raw.write([new Uint8Array(3000)])
        yield* settled
        assert.deepStrictEqual(server.times, ["130 data 1000", "150 data 1000", "170 data 1000"])
      })))

  it.effect("bytes share the bandwidth of the link", () =>
    onNetwork({ link: { bytesPerSecond: 1000, latency: 1 } }, ({ listen, dial }) =>
      Effect.gen(function*() {
        const { accepted } = yield* listen()
        const [one, other] = [yield* dial(), yield* dial()]
        yield* settled
        one.raw.write([new Uint8Array(500)])
        other.raw.write([new Uint8Array(500)])
        yield* Effect.sleep(2000)
        assert.deepStrictEqual(accepted.map(({ times }) => times), [["605 data 500"], ["1105 data 500"]])
      })))

  it.effect("what is destroyed loses what has not left, and keeps what is under way", () =>
    onNetwork({ link: { windowBytes: 1000 } }, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.raw.write([new Uint8Array(2500)])
        client.raw.destroy()
        yield* settled
        assert.deepStrictEqual([client.heard, server.heard], [["close"], ["data 1000", "end"]])
      })))

  it.effect("what is written is copied", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        const bytes = Buffer.from([1, 2, 3])
        client.raw.write([bytes])
        client.raw.write([bytes, bytes])
        bytes.fill(9)
        yield* settled
        assert.deepStrictEqual(server.chunks, [Uint8Array.of(1, 2, 3, 1, 2, 3, 1, 2, 3)])
      })))

  it.effect("the close comes in a later turn, once, and nothing after it", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        server.send("on its way")
        client.raw.destroy()
        client.raw.destroy()
        client.raw.reset()
        assert.deepStrictEqual(client.heard, [])
        yield* settled
        client.raw.resume()
        client.raw.end()
        assert.isTrue(client.send("nothing"))
        yield* settled
        assert.deepStrictEqual(client.heard, ["close"])
        assert.deepStrictEqual(server.heard, ["end"])
      })))

  it.effect("a new handler is told the end and the close again", () =>
    onNetwork({}, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.raw.end()
        yield* settled
        const second = new Ear(server.raw, network.now)
        yield* settled
        server.raw.end()
        yield* settled
        const third = new Ear(server.raw, network.now)
        yield* settled
        assert.deepStrictEqual([server.heard, second.heard, third.heard], [["end"], ["end", "close"], ["close"]])
      })))

  it.effect("who takes over inside an event hears in a later turn, and so does who resumes there", () =>
    onNetwork({ link: { maxSegmentBytes: 10 } }, ({ network, pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        const clock = yield* VirtualTime.VirtualTime
        const heard: Array<string> = []
        const mark = (name: string) => clock.at(clock.now(), () => void heard.push(name))
        server.raw.attach(Object.assign(new Ear(server.raw, network.now), {
          onData: () => {
            heard.push("data")
            server.raw.pause()
            mark("resumed")
            server.raw.resume()
            server.raw.attach(Object.assign(new Ear(server.raw, network.now), {
              onData: () => void heard.push("data for the other"),
              onEnd: () => void heard.push("end for the other")
            }))
          }
        }))
        client.raw.write([new Uint8Array(20)])
        client.raw.end()
        yield* settled
        assert.deepStrictEqual(heard, ["data", "resumed", "data for the other", "end for the other"])
      })))

  it.effect("what is put back comes first", () =>
    onNetwork({}, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("body")
        yield* settled
        server.raw.pause()
        client.send(" and more")
        yield* settled
        server.raw.unshift(server.chunks.pop()!)
        server.raw.unshift(new TextEncoder().encode("head, "))
        server.raw.resume()
        yield* settled
        assert.strictEqual(server.text, "head, body and more")
      })))
})

describe("names, addresses and ports", () => {
  it.effect("a host is dialled by name, by its addresses, and by itself as localhost", () =>
    onNetwork(
      { hosts: ["client", { name: "server", addresses: ["10.0.0.5", "2001:db8::5"] }] },
      ({ dial, listen }) =>
        Effect.gen(function*() {
          const { accepted, endpoint } = yield* listen()
          assert.strictEqual(Endpoint.format(endpoint), "tcp://*:7000")
          for (const host of ["server", "server.", "10.0.0.5", "[2001:db8::5]"]) yield* dial(`tcp://${host}:7000`)
          yield* dial("tcp://localhost:7000", "server")
          yield* settled
          assert.deepStrictEqual(accepted.map(({ raw }) => `${raw.peer} > ${raw.local}`), [
            "tcp://192.0.2.1:49152 > tcp://10.0.0.5:7000",
            "tcp://192.0.2.1:49153 > tcp://10.0.0.5:7000",
            "tcp://192.0.2.1:49154 > tcp://10.0.0.5:7000",
            "tcp://127.0.0.1:49152 > tcp://127.0.0.1:7000", // takes no time
            "tcp://[2001:db8::1]:49155 > tcp://[2001:db8::5]:7000"
          ])
        })
    ))

  it.effect("binding says what is wrong", () =>
    onNetwork({}, ({ listen }) =>
      Effect.gen(function*() {
        const first = yield* listen("tcp://server:0")
        assert.strictEqual(Endpoint.format(first.endpoint), "tcp://192.0.2.2:49152")
        yield* listen("tcp://127.0.0.1:49152")
        assert.strictEqual(yield* why(listen("tcp://*:49152")), "AddressInUse EADDRINUSE")
        assert.strictEqual(yield* why(listen("tcp://0.0.0.0:49152")), "AddressInUse EADDRINUSE")
        assert.strictEqual(yield* why(listen("tcp://192.0.2.2:49152")), "AddressInUse EADDRINUSE")
        assert.strictEqual(yield* why(listen("tcp://192.0.2.1:80")), "AddressNotAvailable EADDRNOTAVAIL")
        assert.strictEqual(yield* why(listen("tcp://client:80")), "AddressNotAvailable EADDRNOTAVAIL")
        assert.strictEqual(yield* why(listen("tcp://nobody:80")), "AddressNotAvailable ENOTFOUND")
        assert.strictEqual(yield* why(listen("unix:/run/x")), "Unsupported Unix")
        assert.strictEqual(yield* why(listen("tls://*:80")), "Unsupported Tls")
      })))

  it.effect("who listens on one address, or on one family, is not reached by another", () =>
    onNetwork({}, ({ dial, listen }) =>
      Effect.gen(function*() {
        yield* listen("tcp://192.0.2.2:1")
        yield* listen("tcp://0.0.0.0:2")
        yield* listen("tcp://[::]:3")
        const reached: Array<string> = []
        for (const port of [1, 2, 3]) {
          for (const host of ["192.0.2.2", "[2001:db8::2]"]) {
            const outcome = yield* Effect.exit(Effect.scoped(dial(`tcp://${host}:${port}`)))
            if (Exit.isSuccess(outcome)) reached.push(`${host}:${port}`)
          }
        }
        assert.deepStrictEqual(reached, ["192.0.2.2:1", "192.0.2.2:2", "192.0.2.2:3", "[2001:db8::2]:3"])
      })))

  it.effect("dialling says what is wrong, after the way there and back", () =>
    onNetwork(
      { link: { latency: 10 }, connectTimeout: "3 seconds" },
      ({ dial, listen, network }) =>
        Effect.gen(function*() {
          yield* listen("tcp://127.0.0.1:7000")
          assert.strictEqual(yield* why(dial("tcp://server:80")), "Refused ECONNREFUSED")
          assert.strictEqual(network.now(), 20)
          assert.strictEqual(yield* why(dial("tcp://server:7000")), "Refused ECONNREFUSED")
          assert.strictEqual(yield* why(dial("tcp://nobody:80")), "NotFound ENOTFOUND")
          assert.strictEqual(yield* why(dial("tcp://192.0.2.77:80")), "Unreachable EHOSTUNREACH")
          assert.strictEqual(yield* why(dial("tcp://*:80")), "Unsupported *")
          assert.strictEqual(yield* why(dial("memory:x")), "Unsupported Memory")
          assert.deepStrictEqual(network.counts.dialFails, 4)
          assert.deepStrictEqual(network.host("client").openDescriptors(), 0)
        })
    ))

  it.effect("a host of one family cannot reach the other", () =>
    onNetwork(
      { hosts: [{ name: "client", addresses: ["10.0.0.1"] }, { name: "server", addresses: ["2001:db8::9"] }] },
      (
        { dial }
      ) =>
        Effect.gen(function*() {
          assert.strictEqual(yield* why(dial()), "Unreachable ENETUNREACH")
        })
    ))

  it.effect("dynamic ports go round, and skip those in use; without one left a dial fails", () =>
    onNetwork({ link: { latency: 0 }, maxTraceEvents: 0 }, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const { close } = yield* listen("tcp://*:65535", "client")
        const first = yield* dial("tcp://client:65535")
        yield* Effect.scoped(listen("tcp://*:0", "client"))
        for (let left = ports - 3; left > 0; left--) yield* listen("tcp://*:0", "client")
        assert.strictEqual(String(first.raw.local), `tcp://192.0.2.1:${firstPort}`)
        assert.strictEqual(String((yield* dial("tcp://client:65535")).raw.local), `tcp://192.0.2.1:${firstPort + 1}`)
        assert.strictEqual(yield* why(dial("tcp://client:65535")), "Unreachable EADDRNOTAVAIL")
        assert.strictEqual(yield* why(listen("tcp://*:0", "client")), "AddressInUse EADDRINUSE")
        first.raw.destroy()
        assert.strictEqual(String((yield* dial("tcp://client:65535")).raw.local), `tcp://192.0.2.1:${firstPort}`)
        yield* close
        assert.strictEqual(network.trace.lines[0], `... ${network.trace.size} earlier events`)
      })))
})

describe("who owns what", () => {
  it.effect("closing the scope of a listener destroys what it accepted, and refuses who comes", () =>
    onNetwork({}, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const { accepted } = yield* Scope.provide(listen(), scope)
        const client = yield* dial()
        yield* settled
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* why(dial()), "Refused ECONNREFUSED")
        assert.deepStrictEqual([client.heard, accepted[0]?.heard], [["end"], ["close"]])
        assert.strictEqual(network.host("server").openDescriptors(), 0)
      })))

  it.effect("who is connected and not yet accepted when the listener closes is reset", () =>
    onNetwork({ link: { latency: 10 } }, ({ dial, listen }) =>
      Effect.gen(function*() {
        const { accepted, close } = yield* listen()
        const client = yield* dial()
        yield* close
        yield* settled
        assert.deepStrictEqual([accepted, client.heard], [[], ["close ECONNRESET"]])
      })))

  it.effect("who waits in the backlog when the listener closes is reset", () =>
    onNetwork({}, ({ dial, listen, network }) =>
      Effect.gen(function*() {
        const { accepted, close } = yield* listen()
        yield* network.holdAccepts("server")
        const client = yield* dial()
        yield* settled
        yield* close
        yield* settled
        assert.deepStrictEqual([accepted, client.heard, network.counts.turnedAway], [[], ["close ECONNRESET"], 1])
      })))

  it.effect("an idle network holds no timer, whatever has been dialled, said, refused and closed", () =>
    onNetwork({ link: { windowBytes: 100 } }, ({ dial, network, pair }) =>
      Effect.gen(function*() {
        const { pending } = yield* VirtualTime.VirtualTime
        const { client, server } = yield* pair
        assert.strictEqual(pending(), 0)
        client.raw.write([new Uint8Array(1000)])
        server.raw.end()
        yield* why(dial("tcp://server:1"))
        yield* settled
        assert.strictEqual(pending(), 0)
        const left = yield* dial()
        left.raw.write([new Uint8Array(1000)])
        server.raw.destroy()
        yield* network.partition("client", "server", { direction: "oneWay" })
        client.raw.destroy()
        left.raw.destroy()
        yield* settled
        assert.strictEqual(pending(), 0)
      }).pipe(Effect.scoped)))

  it.effect("a dial that is interrupted leaves nothing, wherever it was", () =>
    Effect.forEach(
      [0, 5, 10, 15, 20, 25, 30],
      (after) =>
        onNetwork({ link: { latency: 10 } }, ({ dial, listen, network }) =>
          Effect.gen(function*() {
            const { accepted } = yield* listen()
            const fiber = yield* Effect.forkChild(Effect.scoped(Effect.andThen(dial(), Effect.never)))
            yield* Effect.sleep(after)
            yield* Fiber.interrupt(fiber)
            yield* settled
            assert.deepStrictEqual(network.host("client").openDescriptors(), 0)
            for (const { raw } of accepted) raw.destroy()
            yield* settled
            assert.deepStrictEqual([network.connections(), network.host("server").openDescriptors()], [[], 1])
          }))
    ))

  it.effect("a network that closes closes everything, and a dial under way fails", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const network = yield* Scope.provide(SimulatedNetwork.make({ hosts: ["a", "b"] }), scope)
      const accepted: Array<Ear> = []
      yield* network.transport("b").listen(Endpoint.tcpUnsafe("*", 1), {
        backlog: 1,
        onAccept: (raw) => void accepted.push(new Ear(raw, network.now))
      })
      const connect = network.transport("a").connect(Endpoint.tcpUnsafe("b", 1))
      const dialled = yield* Effect.forkChild(connect, { startImmediately: true })
      yield* TestClock.adjust(10)
      const ear = new Ear(yield* Fiber.join(dialled), network.now)
      const second = yield* Effect.forkChild(Effect.flip(connect), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([ear.heard, accepted[0]?.heard], [["close ECONNABORTED"], ["close ECONNABORTED"]])
      assert.strictEqual((yield* Fiber.join(second)).code, "ENETDOWN")
      assert.deepStrictEqual(network.connections(), [])
    }))

  it.effect("a network that closes forgets what was still to go wrong", () =>
    onNetwork({}, () =>
      Effect.gen(function*() {
        const { pending } = yield* VirtualTime.VirtualTime
        const plan = [Fault.crash("a", { at: 3_600_000 }), Fault.crash("b", { restartAfterMillis: 3_600_000 })]
        yield* Effect.scoped(
          Effect.map(SimulatedNetwork.make({ faults: plan }), () => assert.strictEqual(pending(), 2))
        )
        assert.strictEqual(pending(), 0)
      })))

  it.effect("is in the message of a run that is stuck, as long as it is open", () =>
    Effect.gen(function*() {
      const stuck = yield* Effect.flip(VirtualTime.run(Effect.gen(function*() {
        yield* Effect.scoped(SimulatedNetwork.make({ hosts: ["closed"], faults: [Fault.crash("closed")] }))
        const network = yield* SimulatedNetwork.make({ hosts: ["a", "b"] })
        yield* network.transport("b").listen(Endpoint.tcpUnsafe("*", 7), { backlog: 1, onAccept: () => {} })
        yield* network.transport("a").connect(Endpoint.tcpUnsafe("b", 7))
        return yield* Effect.never
      })))
      if (stuck._tag !== "Stuck") return assert.fail(stuck.message)
      assert.strictEqual(stuck.network[0], "b listens on port 7")
      assert.match(stuck.network[1] ?? "nothing", /^#1 a:49152 > b:7/)
      assert.strictEqual(stuck.network.length, 2)
      assert.include(stuck.message, "b listens on port 7")
    }))

  it.effect("is not in the message of a run whose clock it does not use", () =>
    Effect.gen(function*() {
      const stuck = yield* Effect.flip(VirtualTime.run(Effect.gen(function*() {
        const timers = { now: () => 0, at: () => () => {} }
        yield* SimulatedNetwork.make({ hosts: ["a"], faults: [Fault.crash("a")], timers })
        return yield* Effect.never
      })))
      if (stuck._tag !== "Stuck") return assert.fail(stuck.message)
      assert.deepStrictEqual(stuck.network, [])
    }))

  it.effect("with hosts given, an unknown name is refused wherever it is said", () =>
    Effect.scoped(Effect.gen(function*() {
      const make = (options: SimulatedNetwork.Options) =>
        SimulatedNetwork.make({ hosts: ["client", "server"], ...options })
      const network = yield* make({})
      const rule = "host: must be one of the hosts client, server, got \"sever\""
      assert.throws(() => network.transport("sever"), rule)
      assert.throws(() => network.host("sever"), rule)
      const built = yield* Effect.exit(Layer.build(network.layer("sever")))
      assert.isTrue(Exit.hasDies(built))
      assert.strictEqual((yield* Effect.flip(make({ links: [{ from: "sever", to: "*", latency: 5 }] }))).message, rule)
      const fault = Fault.crash("sever")
      assert.deepStrictEqual(
        yield* Effect.flip(make({ faults: [fault] })),
        new Fault.FaultError({ fault, rule: "there is no host sever, the hosts are client, server" })
      )
      assert.deepStrictEqual(network.hosts().map(({ name }) => name), ["client", "server"])
      const open = yield* SimulatedNetwork.make({ links: [{ from: "sever", to: "*", latency: 5 }] })
      assert.strictEqual(open.host("sever").name, "sever")
      const none = yield* SimulatedNetwork.make({ hosts: [] })
      assert.throws(() => none.host("a"), "host: there are no hosts, got \"a\"")
    })))

  it.effect("runs effects to their end, and layers as long as the scope is open, each on its host", () =>
    VirtualTime.run(Effect.gen(function*() {
      const network = yield* SimulatedNetwork.make({ hosts: ["a", "b", "c"] })
      const Listener = Layer.effectDiscard(
        Transport.Transport.use(({ listen }) => listen(Endpoint.tcpUnsafe("*", 7), { backlog: 1, onAccept: () => {} }))
      )
      const dial = (host: string) => Transport.Transport.use(({ connect }) => connect(Endpoint.tcpUnsafe(host, 7)))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* network.run("a", Listener)
        yield* network.run("b", Listener)
        yield* network.run("c", Effect.andThen(dial("a"), dial("b")))
        yield* settled
        assert.deepStrictEqual(network.hosts().map((host) => host.openDescriptors()), [2, 2, 2])
      }))
      yield* settled
      assert.strictEqual(yield* why(network.run("c", Effect.scoped(dial("a")))), "Refused ECONNREFUSED")
      assert.strictEqual(yield* network.run("c", Effect.succeed(1)), 1)
      const misspelt = network.run("d", Effect.void)
      assert.isTrue(Exit.hasDies(yield* Effect.exit(misspelt)))
    })))

  it.effect("faults can be injected from plain code", () =>
    onNetwork({}, ({ network }) =>
      Effect.sync(() => {
        network.injectUnsafe(Fault.crash("server"))
        assert.isFalse(network.host("server").isUp())
        assert.throws(() => network.injectUnsafe(Fault.crash("sever")), "there is no host sever")
        assert.throws(() => network.injectUnsafe(Fault.crash("server", { at: -1 })), "at")
      })))

  it.effect("under an ordinary test clock, time passes with adjust", () =>
    Effect.gen(function*() {
      const network = yield* SimulatedNetwork.make({ link: { latency: 1000 } })
      const accepted: Array<Ear> = []
      yield* network.transport("b").listen(Endpoint.tcpUnsafe("*", 1), {
        backlog: 1,
        onAccept: (raw) => void accepted.push(new Ear(raw, network.now))
      })
      const dialled = yield* Effect.forkChild(network.transport("a").connect(Endpoint.tcpUnsafe("b", 1)), {
        startImmediately: true
      })
      yield* TestClock.adjust(1999)
      assert.strictEqual(network.counts.connected, 0)
      yield* TestClock.adjust(1)
      const client = new Ear(yield* Fiber.join(dialled), network.now)
      client.send("hello")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(accepted[0]?.times, ["3000 data 5"])
    }))
})

describe("options", () => {
  const made = (options: SimulatedNetwork.Options) =>
    Effect.map(
      Effect.result(Effect.scoped(SimulatedNetwork.make(options))),
      (result) => Result.isFailure(result) ? result.failure.message : "made"
    )

  it.effect("what cannot be is refused with the option, the rule and the value", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* made({ seed: 0.5 }), "seed: must be an integer or a text, got 0.5")
      assert.strictEqual(
        yield* made({ hosts: ["10.0.0.1"] }),
        "host: a host must have a name as in tcp://NAME:PORT, no address, got \"10.0.0.1\""
      )
      assert.strictEqual(yield* made({ hosts: ["a", "A"] }), "hosts: host a is there already, got \"a\"")
      assert.strictEqual(
        yield* made({ hosts: [{ name: "a", addresses: ["10.0.0.1"] }, { name: "b", addresses: ["10.0.0.1"] }] }),
        "hosts: the address 10.0.0.1 is that of host a, got \"b\""
      )
      assert.strictEqual(
        yield* made({ connectTimeout: 0 }),
        "connectTimeout: must be a time longer than 0, got 0"
      )
      assert.strictEqual(yield* made({ maxTraceEvents: -1 }), "maxTraceEvents: must be an integer from 0, got -1")
      assert.match(yield* made({ link: { windowBytes: 0 } }), /^link: .*windowBytes/s)
      assert.match(yield* made({ link: { latency: { _tag: "Uniform", minMillis: 2, maxMillis: 1 } } }), /at most/)
      const misspelt = { from: "a", to: "b", latenzy: 1 }
      assert.match(yield* made({ links: [misspelt] }), /^links: .*latenzy/s)
      assert.match(yield* made({ links: [{ from: "10.0.0.1", to: "b" }] }), /^links: a host must have a name/)
      const oneway = JSON.parse("{\"from\":\"a\",\"to\":\"b\",\"direction\":\"oneway\"}")
      assert.match(yield* made({ links: [oneway] }), /^links: direction must be "both" or "oneWay", got {.*"oneway"}$/)
      assert.strictEqual(yield* made({ seed: "a text", hosts: [{ name: "a", descriptors: 0 }] }), "made")
    }))

  it.effect("a layer is the transport of its host", () =>
    onNetwork({}, ({ dial, network }) =>
      Effect.gen(function*() {
        yield* Transport.Transport.use((transport) =>
          transport.listen(Endpoint.tcpUnsafe("*", 7000), { backlog: 1, onAccept: () => {} })
        ).pipe(Effect.provide(network.layer("server")))
        yield* dial()
      })))

  it.effect("links may differ by direction, and later ones win", () =>
    onNetwork({
      link: { latency: 1 },
      links: [
        { from: "*", to: "server", latency: 7 },
        { from: "client", to: "server", direction: "oneWay", latency: 50 }
      ]
    }, ({ pair }) =>
      Effect.gen(function*() {
        const { client, server } = yield* pair
        client.send("slow")
        server.send("fast")
        yield* settled
        assert.deepStrictEqual([client.times, server.times], [["164 data 4"], ["207 data 4"]])
      })))
})

it.effect("the trace tells what happened, one line per event", () =>
  onNetwork({ maxTraceEvents: 7 }, ({ network, pair }) =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const stop = network.trace.watch(({ kind }) => seen.push(kind))
      const { client, server } = yield* pair
      client.send("hello")
      yield* settled
      stop()
      server.raw.destroy()
      yield* settled
      assert.deepStrictEqual(network.trace.lines, [
        "... 1 earlier events",
        "     0.000 client > server:7000 dials",
        "     2.000 #1 client:49152 > server:7000 connected",
        "     3.000 #1 client:49152 > server:7000 accepted",
        "   102.000 #1 client:49152 > server:7000 sends 5 @0",
        "   103.000 #1 client:49152 > server:7000 reads 5 @0",
        "   202.000 #1 server:7000 > client:49152 closes",
        "   203.000 #1 server:7000 > client:49152 ends"
      ])
      assert.deepStrictEqual(seen, ["listens", "dials", "connected", "accepted", "sends", "reads"])
      assert.strictEqual(network.trace.toString().split("\n").length, 8)
      assert.deepStrictEqual(network.describe(), [
        "server listens on port 7000",
        "#1 client:49152 > server:7000 closing; forward 5 read, 0 unread, 0 in flight, 0 unsent; " +
        "backward 0 read, 0 unread, 0 in flight, 0 unsent"
      ])
      assert.sameMembers(Object.keys(Trace.kinds), Object.keys(network.counts))
    })))

it.effect("the digest of a trace depends on every part of every event", () =>
  Effect.sync(() => {
    const event: Trace.Event = {
      time: 1,
      kind: "sends",
      connection: 1,
      from: "a:1",
      to: "b:2",
      bytes: 3,
      offset: 4,
      detail: ""
    }
    const digestOf = (...events: ReadonlyArray<Trace.Event>): string => {
      const trace = new Trace.Trace(0)
      for (const each of events) trace.record(each)
      return trace.digest
    }
    const changes: ReadonlyArray<Partial<Trace.Event>> = [
      { time: 1.001 },
      { kind: "reads" },
      { connection: 2 },
      { from: "a:2" },
      { to: "b:1" },
      { bytes: 4 },
      { offset: 5 },
      { offset: 4 + 2 ** 32 },
      { detail: "x" }
    ]
    const digests = [
      digestOf(),
      digestOf(event, event),
      ...[{}, ...changes].map((change) => digestOf({ ...event, ...change }))
    ]
    assert.strictEqual(new Set(digests).size, changes.length + 3)
    assert.strictEqual(digestOf({ ...event }), digestOf(event))
  }))

import { assert, describe, it } from "@effect/vitest"
import {
  Arbitrary,
  Cause,
  Clock,
  Context,
  Duration,
  Effect,
  Exit,
  Layer,
  Option,
  Random as EffectRandom,
  Schedule,
  Schema
} from "effect"
import { TestClock } from "effect/testing"
import {
  Admission,
  Client,
  Codec,
  Connection,
  Endpoint,
  Framing,
  Protocol,
  Server,
  Transport
} from "../../src/index.ts"
import { Reverse } from "../../src/services/index.ts"
import { Fault, Random, Simulation, VirtualTime } from "../../src/testing/index.ts"
import { drawFaults } from "../support/plantedBugs.ts"

const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))
const Shout = Protocol.make("shout", { request: line, response: line })
const endpoint = "tcp://server:7000"
const ShoutServer = (options?: Server.Options) =>
  Server.layer(Shout, endpoint, (text) => Effect.succeed(text.toUpperCase()), options)

type Hosts = Record<string, Effect.Effect<unknown, unknown, Simulation.Provided> | Layer.Layer<never, unknown>>

/** Calls once a second. */
const caller = (times: number) =>
  Effect.gen(function*() {
    const client = yield* Client.make(Shout, endpoint)
    for (let left = times; left > 0; left--) {
      yield* client.call("ahoy")
      yield* Effect.sleep("1 second")
    }
    return times
  })

const uniform = {
  link: { latency: { _tag: "Uniform", minMillis: 1, maxMillis: 50 }, segmenting: "random" }
} as const

const several = () => ({
  hosts: { server: ShoutServer() },
  clients: { alice: caller(5), bob: caller(3), carol: Effect.delay(caller(4), "10 millis") },
  network: uniform
})

/** Shifts the turns of the event loop about. */
const noise = TestClock.withLive(Effect.forever(Effect.andThen(Effect.sleep(1), Effect.yieldNow)))

describe("Simulation.run", () => {
  it.effect("Effect's Random belongs to the run: the seed decides what programs draw", () =>
    Effect.gen(function*() {
      const drawn = (seed: number) =>
        Effect.map(
          Simulation.run({
            hosts: {},
            clients: { alice: Effect.all([EffectRandom.next, EffectRandom.nextInt, EffectRandom.next]) },
            seed
          }),
          ({ clients }) => Exit.getSuccess(clients.alice)
        )
      const first = yield* drawn(1)
      assert.isTrue(Option.isSome(first))
      assert.deepStrictEqual(yield* drawn(1), first)
      assert.notDeepEqual(yield* drawn(2), first)
    }))

  it.effect("faults of time 0 come when the hosts have bound, and before the clients begin", () =>
    Effect.gen(function*() {
      const { trace } = yield* Simulation.run({
        hosts: { server: ShoutServer() },
        clients: { alice: Effect.delay(caller(1), "2 seconds") },
        faults: [Fault.crash("server", { restartAfterMillis: 1000 }), Fault.stall("server", "alice", { forMillis: 1 })],
        seed: 1
      })
      assert.deepStrictEqual(trace.slice(0, 8).map((line) => line.trim()), [
        "0.000 server:7000 listens",
        "0.000 server fault Crash",
        "0.000 server crashed reset",
        "0.000 server:7000 unlistens",
        "0.000 server > alice fault Stall",
        "1.000 server > alice faultEnds Stall",
        "1000.000 server restarted",
        "1000.000 server:7000 listens"
      ])
    }))

  it.effect("a fault that cannot be is a defect, and no failure of the system", () =>
    Effect.gen(function*() {
      const faults = [Fault.crash("a", { at: -1 })]
      const exit = yield* Effect.exit(Simulation.run({ hosts: { a: Effect.void }, clients: {}, faults, seed: 1 }))
      assert.isTrue(Exit.hasDies(exit))
      assert.match(String(Exit.isFailure(exit) && Cause.squash(exit.cause)), /FaultError.*"at":-1/)
    }))

  it.effect("a host that another program has crashed before it begins starts when it is up again", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      for (let seed = 1; seed <= 30; seed++) {
        const begins: Array<number> = []
        yield* Simulation.run({
          hosts: {
            breaker: Effect.flatMap(
              Simulation.Network,
              (network) => network.crash("late", { restartAfterMillis: 500 })
            ),
            late: Effect.map(Clock.currentTimeMillis, (now) => void begins.push(now))
          },
          clients: { alice: Effect.sleep("1 second") },
          seed
        })
        seen.add(begins.join(" "))
      }
      assert.deepStrictEqual(Array.from(seen).sort(), ["0 500", "500"])
    }))

  it.effect("a failure that is plain data is told as data", () =>
    Effect.gen(function*() {
      const run = (clients: Record<string, Effect.Effect<unknown, unknown>>) =>
        Effect.flip(Simulation.run({ hosts: {}, clients, seed: 1 }))
      const done = yield* run({ alice: Effect.fail({ _tag: "Done", value: [1, 2] }) })
      assert.strictEqual(done.broken, "it failed with {\"_tag\":\"Done\",\"value\":[1,2]}")
      assert.strictEqual((yield* run({ alice: Effect.fail("a text") })).broken, "it failed with a text")
      assert.strictEqual(
        (yield* run({ alice: Effect.die(new RangeError("big")) })).broken,
        "it failed with RangeError: big"
      )
    }))

  it.effect("gives the clients' exits, the counts and the trace", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        hosts: { server: ShoutServer() },
        clients: { alice: Effect.andThen(Effect.log("hello"), caller(1)) },
        seed: 1
      })
      const value: Exit.Exit<number, unknown> = report.clients.alice
      assert.deepStrictEqual(value, Exit.succeed(1))
      assert.strictEqual(report.elapsedMillis, 1006)
      assert.deepStrictEqual([report.counts.connected, report.counts.sends, report.counts.reads], [1, 2, 2])
      assert.strictEqual(
        report.trace.join("\n"),
        `     0.000 server:7000 listens
     0.000 client alice: INFO hello
     0.000 alice > server:7000 dials
     2.000 #1 alice:49152 > server:7000 connected
     2.000 #1 alice:49152 > server:7000 sends 5 @0
     3.000 #1 alice:49152 > server:7000 accepted
     3.000 #1 alice:49152 > server:7000 reads 5 @0
     3.000 #1 server:7000 > alice:49152 sends 5 @0
     4.000 #1 server:7000 > alice:49152 reads 5 @0
  1005.000 #1 alice:49152 > server:7000 ends
  1005.000 #1 server:7000 > alice:49152 closes
  1006.000 #1 server:7000 > alice:49152 ends
  1006.000 #1 alice:49152 > server:7000 closes
  1006.000 server:7000 unlistens`
      )
      assert.strictEqual(report.traceSize, report.trace.length)
    }))

  it.effect("the same seed gives the same trace, whatever runs beside; others give others", () =>
    Effect.gen(function*() {
      const run = (seed: number) => Effect.suspend(() => Simulation.run({ ...several(), seed }))
      const alone = yield* run(1)
      const [one, two, other] = yield* Effect.raceFirst(
        Effect.all([run(1), run(1), run(2)], { concurrency: "unbounded" }),
        noise
      )
      for (const report of [one, two]) {
        assert.deepStrictEqual(report.trace, alone.trace)
        assert.strictEqual(report.digest, alone.digest)
      }
      assert.notStrictEqual(other.digest, alone.digest)
      const digests = new Set<string>()
      for (let seed = 1; seed <= 20; seed++) digests.add((yield* run(seed)).digest)
      assert.strictEqual(digests.size, 20)
    }))

  it.effect("1,000 seconds of 100 clients against the reverse server", () =>
    Effect.gen(function*() {
      const watch = Simulation.watchServer()
      let answered = 0
      let wrong = 0
      const client = Effect.gen(function*() {
        const { call } = yield* Client.make(Reverse.protocol(), endpoint)
        for (let second = 0; second < 1000; second++) {
          const answer = yield* call(`call ${second}`)
          if (answer === Reverse.reverse(`call ${second}`)) answered++
          else wrong++
          yield* Effect.sleep("1 second")
        }
      })
      const report = yield* Simulation.run({
        hosts: { server: Reverse.layer(endpoint, { onEvent: watch.onEvent }) },
        clients: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`client-${index}`, client])),
        network: { link: { latency: { _tag: "Uniform", minMillis: 1, maxMillis: 50 } } },
        invariants: watch.invariants,
        seed: 1
      })
      assert.isAbove(report.elapsedMillis, 1_000_000)
      assert.deepStrictEqual([answered, wrong, watch.stats().ended], [100_000, 0, 100])
    }), 60_000)

  it.effect("asks always at the end of each moment, and ends the run when it does not hold", () =>
    Effect.gen(function*() {
      let sent = 0
      const failure = yield* Effect.flip(Simulation.run({
        hosts: {},
        clients: { alice: Effect.forever(Effect.andThen(Effect.sync(() => sent++), Effect.sleep("1 second"))) },
        invariants: { "at most three": Simulation.always(() => sent <= 3 || `${sent} were sent`) },
        seed: 1
      }))
      assert.deepStrictEqual([failure.invariant, failure.broken, failure.atMillis], [
        "at most three",
        "4 were sent",
        3000
      ])
      assert.strictEqual(sent, 4)
    }))

  it.effect("asks atEnd when the hosts are closed, and sometimes until it holds", () =>
    Effect.gen(function*() {
      let isOpen = false
      let seen = 0
      const scenario = (seed: number) => ({
        hosts: {
          server: Effect.acquireRelease(Effect.sync(() => void (isOpen = true)), () =>
            Effect.sync(() => void (isOpen = false)))
        },
        clients: { alice: Effect.sleep("1 second") },
        invariants: {
          "it is closed at the end": Simulation.atEnd(() =>
            !isOpen
          ),
          "it was open once": Simulation.sometimes(() => {
            seen++
            return isOpen
          })
        },
        seed
      })
      const report = yield* Simulation.run(scenario(1))
      assert.deepStrictEqual(report.reached, { "it was open once": true })
      assert.strictEqual(seen, 1)
      const failure = yield* Effect.flip(Simulation.run({
        ...scenario(1),
        invariants: { never: Simulation.sometimes(() => false), late: Simulation.atEnd(() => true) }
      }))
      assert.deepStrictEqual([failure.invariant, failure.broken], ["never", "it never held"])
      const atEnd = yield* Effect.flip(Simulation.run({
        ...scenario(1),
        invariants: { late: Simulation.atEnd(() => seen < 0) }
      }))
      assert.deepStrictEqual([atEnd.invariant, atEnd.broken], ["late", "it does not hold"])
    }))

  it.effect("an invariant that throws is broken", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Simulation.run({
        hosts: {},
        clients: { alice: Effect.void },
        invariants: {
          bad: Simulation.always(() => {
            throw new Error("oops")
          })
        },
        seed: 1
      }))
      assert.deepStrictEqual([failure.invariant, failure.broken], ["bad", "it threw Error: oops"])
    }))

  it.effect("a client or a host that fails or dies ends the run", () =>
    Effect.gen(function*() {
      const broken = (hosts: Hosts, alice: Effect.Effect<unknown, unknown, Simulation.Provided>) =>
        Effect.map(
          Effect.flip(Simulation.run({ hosts, clients: { alice }, seed: 1 })),
          ({ broken, invariant }) => `${invariant}: ${broken}`
        )
      assert.strictEqual(
        yield* broken({}, Client.make(Shout, endpoint)),
        "client alice succeeds: it failed with ConnectError: cannot connect to tcp://server:7000: no such host (ENOTFOUND)"
      )
      assert.strictEqual(
        yield* broken({ server: Effect.die("dead") }, Effect.sleep("1 hour")),
        "host server goes on: it failed with dead"
      )
      assert.strictEqual(
        yield* broken({ server: Layer.effectDiscard(Effect.fail("no")) }, Effect.sleep("1 hour")),
        "host server goes on: it failed with no"
      )
    }))

  it.effect("a run in which everybody waits is stuck, and says who", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Simulation.run({
        hosts: {
          // It accepts, and does nothing more.
          server: Transport.Transport.use(({ listen }) =>
            listen(Endpoint.fromStringUnsafe(endpoint), { backlog: 1, onAccept: () => {} })
          )
        },
        clients: {
          alice: Effect.flatMap(Client.make(Shout, endpoint, { callTimeout: "Infinity" }), ({ call }) => call("ahoy"))
        },
        seed: 1
      }))
      assert.strictEqual(failure.invariant, "the run goes on")
      assert.match(failure.broken, /every fiber waits and nothing is scheduled at 3.000 ms/)
      assert.match(failure.broken, /fiber \d+ \(client alice\): waits since 2.000 ms/)
      assert.match(failure.broken, /#1 alice:49152 > server:7000 open/)
      assert.notMatch(failure.broken, /simulation/)
    }))

  it.effect("ends at its duration, and interrupts who is left", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        hosts: { server: ShoutServer() },
        clients: { alice: caller(1000), bob: caller(2) },
        duration: "10 seconds",
        seed: 1
      })
      assert.isTrue(Exit.isFailure(report.clients.alice) && Cause.hasInterruptsOnly(report.clients.alice.cause))
      assert.isTrue(Exit.isSuccess(report.clients.bob))
      assert.isBelow(report.elapsedMillis, 10_100)
    }))

  it.effect("without clients it runs for its duration", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        hosts: { server: ShoutServer() },
        clients: {},
        duration: "5 minutes",
        seed: 1
      })
      assert.strictEqual(report.elapsedMillis, 300_000)
    }))

  it.effect("a crashed host loses its program, and a restarted one begins it again", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const note = (what: string) => Effect.map(Clock.currentTimeMillis, (now) => void log.push(`${now} ${what}`))
      const report = yield* Simulation.run({
        hosts: {
          server: Effect.gen(function*() {
            yield* Effect.acquireRelease(note("up"), () => note("down"))
            yield* Server.make(Shout, endpoint, (text) => Effect.succeed(text))
          })
        },
        clients: {
          alice: Effect.gen(function*() {
            yield* Effect.sleep("1 second")
            yield* caller(10).pipe(Effect.scoped, Effect.catchTag("ClientError", ({ reason }) => note(reason._tag)))
            yield* Effect.sleep("3 seconds")
            yield* caller(1)
          })
        },
        faults: [Fault.crash("server", { at: 2500, restartAfterMillis: 2000 })],
        seed: 1
      })
      assert.deepStrictEqual([report.counts.crashed, report.counts.restarted], [1, 1])
      assert.deepStrictEqual(log.map((text) => text.replace(/(?<=^\d+)\.\d+/, "")), [
        "0 up",
        "2500 down",
        "3006 PeerReset",
        "4500 up",
        `${Math.floor(report.elapsedMillis)} down`
      ])
    }))

  it.effect("programs can make faults themselves", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        hosts: { server: ShoutServer() },
        clients: {
          alice: Effect.gen(function*() {
            const network = yield* Simulation.Network
            yield* network.partition("alice", "server", { forMillis: 5000 })
            yield* caller(1)
          })
        },
        seed: 1
      })
      assert.strictEqual(report.counts.fault, 1)
      assert.isAbove(report.elapsedMillis, 5000)
    }))

  describe("nothing leaks", () => {
    const leak = (client: Effect.Effect<unknown, unknown, Simulation.Provided>) =>
      Effect.map(
        Effect.flip(Simulation.run({ hosts: { server: ShoutServer() }, clients: { alice: client }, seed: 1 })),
        ({ broken, invariant }) => `${invariant}: ${broken}`
      )

    it.effect("a detached fiber", () =>
      Effect.gen(function*() {
        assert.match(
          yield* leak(Effect.forkDetach(VirtualTime.named(Effect.sleep("1 day"), "watchdog"))),
          /^nothing leaks: fiber \d+ \(watchdog\): sleeps until 86400000.000 ms$/
        )
      }))

    it.effect("a socket", () =>
      Effect.gen(function*() {
        assert.match(
          yield* leak(
            Effect.forkDetach(Effect.scoped(Effect.andThen(Connection.connect(endpoint, line), Effect.never))).pipe(
              Effect.andThen(Effect.sleep("1 second"))
            )
          ),
          /^nothing leaks: fiber \d+ \(client alice\): waits since 2.000 ms; open on alice/
        )
      }))

    it.effect("a timer", () =>
      Effect.gen(function*() {
        assert.strictEqual(
          yield* leak(Effect.map(VirtualTime.VirtualTime, (clock) => clock.at(1e9, () => {}))),
          "nothing leaks: 1 timers are left"
        )
      }))
  })

  it.effect("everything closes in time", () =>
    Effect.gen(function*() {
      const slow = Effect.acquireRelease(Effect.void, () => Effect.sleep("2 minutes"))
      const scenario = { hosts: { server: slow }, clients: { alice: Effect.void }, seed: 1 }
      const failure = yield* Effect.flip(Simulation.run(scenario))
      assert.deepStrictEqual([failure.invariant, failure.broken], [
        "everything closes",
        "host server did not within 60000 ms"
      ])
      yield* Simulation.run({ ...scenario, closeWithin: "3 minutes" })
    }))

  it.effect("what programs need besides is asked for", () =>
    Effect.gen(function*() {
      class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}
      const run: Effect.Effect<unknown, Simulation.SimulationFailure, Greeting> = Simulation.run({
        hosts: { server: ShoutServer() },
        clients: { alice: Effect.andThen(Greeting, (greeting) => Effect.log(greeting)) },
        seed: 1
      })
      yield* Effect.provideService(run, Greeting, "hi")
    }))

  it.effect("options that cannot be are defects", () =>
    Effect.gen(function*() {
      const dies = Effect.fnUntraced(function*(options: Partial<Simulation.Options<{}, {}>>) {
        const exit = yield* Effect.exit(Simulation.run({ hosts: {}, clients: {}, duration: 1, seed: 1, ...options }))
        return Exit.isFailure(exit) && Cause.hasDies(exit.cause) ? String(Cause.squash(exit.cause)) : "it lives"
      })
      assert.match(yield* dies({ duration: 0 }), /duration must be a finite time, longer than 0, got 0/)
      assert.match(yield* dies({ duration: "Infinity" }), /duration must be/)
      assert.match(yield* dies({ closeWithin: Number.NaN }), /closeWithin must be/)
      assert.match(yield* dies({ seed: 0.5 }), /seed must be a safe integer, got 0.5/)
      assert.match(yield* dies({ network: { connectTimeout: -1 } }), /connectTimeout/)
    }))

  it.effect("a fault or a link of a host that is not there is a defect, whatever the case of its letters", () =>
    Effect.gen(function*() {
      const clients = { Alice: Effect.sleep("1 second") }
      const exit = (options: Partial<Simulation.Options<{}, typeof clients>>) =>
        Effect.map(
          Effect.exit(Simulation.run({ hosts: {}, clients, seed: 1, ...options })),
          (exit) => Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : exit.value.trace.join("\n")
        )
      const known = "of hosts that are there: alice"
      assert.include(yield* exit({ faults: [Fault.crash("alise")] }), `faults must be ${known}, got {"_tag":"Crash"`)
      assert.include(yield* exit({ faults: [Fault.partition("*", "bob")] }), known)
      assert.include(yield* exit({ network: { links: [{ from: "alice", to: "bob" }] } }), `links must be ${known}`)
      assert.strictEqual(
        yield* exit({
          faults: [Fault.stall("Alice", "*"), Fault.refuse("ALICE")],
          network: { links: [{ from: "ALICE", to: "*" }] }
        }),
        "     0.000 alice > * fault Stall\n     0.000 alice fault Refuse"
      )
    }))

  it.effect("logs whatever programs log, errors with what they say", () =>
    Effect.gen(function*() {
      const round: Record<string, unknown> = {}
      round.again = round
      const { trace } = yield* Simulation.run({
        hosts: {},
        clients: {
          alice: Effect.gen(function*() {
            yield* Effect.log("big", 10n, undefined, { at: 1 })
            yield* Effect.log(round)
            yield* Effect.log(new Error("no light"))
            yield* Effect.logError("alas", Cause.fail(new Error("no wind")))
          })
        },
        seed: 1
      })
      assert.deepStrictEqual(trace, [
        "     0.000 client alice: INFO big 10n undefined {\"at\":1}",
        "     0.000 client alice: INFO {\"again\":[Circular]}",
        "     0.000 client alice: INFO Error: no light",
        "     0.000 client alice: ERROR alas Error: no wind"
      ])
    }))
})

describe("Simulation.explore", () => {
  /** Breaks when a partition is under way between 2 and 3 s. */
  const fragile = () => {
    let late = 0
    return {
      hosts: { server: ShoutServer() },
      clients: {
        alice: Effect.gen(function*() {
          const client = yield* Client.make(Shout, endpoint)
          yield* Effect.sleep("2 seconds")
          const sent = yield* Clock.currentTimeMillis
          yield* client.call("ahoy")
          late = (yield* Clock.currentTimeMillis) - sent
        })
      },
      invariants: { "calls are fast": Simulation.always(() => late < 100 || `one took ${late} ms`) }
    }
  }
  const draw = (random: Random.Random): Fault.Plan =>
    Array.from({ length: 8 }, () => ({
      _tag: random.pick(["Partition", "Stall"] as const),
      from: "alice",
      to: "server",
      at: random.int(0, 10_000),
      forMillis: random.int(200, 3000)
    }))

  it.effect("stops at the first failure, makes it small, and tells of each run", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const failure = yield* Effect.flip(Simulation.explore(fragile, {
        runs: 50,
        seed: 100,
        drawFaults: draw,
        onProgress: ({ failure, of, runs, seed }) =>
          Effect.sync(() => void told.push(`${runs} of ${of}, seed ${seed}: ${failure?.invariant ?? "ok"}`))
      }))
      assert.strictEqual(failure.faults.length, 1)
      assert.deepInclude(failure.search, { runs: told.length, faultsBefore: 8 })
      assert.strictEqual(told.at(-1), `${told.length} of 50, seed ${99 + told.length}: calls are fast`)
      assert.strictEqual(failure.seed, 99 + told.length)
      const lines = failure.message.split("\n")
      assert.strictEqual(lines[0], `calls are fast: ${failure.broken}`)
      assert.include(lines[3]!, `replay: { seed: ${failure.seed}, faults: [`)
      assert.include(failure.message, failure.trace[0]!)
      // No simpler plan fails: every field that can be left out has been, and the numbers are short.
      const [fault] = failure.faults
      assert.isAtMost(JSON.stringify(fault).length, 70)
    }))

  it.effect("the value that a failure prints replays it", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Simulation.explore(fragile, { runs: 50, drawFaults: draw }))
      const printed = /replay: (\{[^]*?\n\] \})/.exec(failure.message)![1]!
      // Printed to be pasted into a program; this is the only way to run it as one.
      const replay: Simulation.Replay = new Function(`return ${printed}`)()
      const again = yield* Effect.flip(Simulation.replay(fragile, replay))
      assert.deepStrictEqual([again.invariant, again.broken, again.trace], [
        failure.invariant,
        failure.broken,
        failure.trace
      ])
    }))

  it.effect("the drawn faults come on top of the scenario's own", () =>
    Effect.gen(function*() {
      const own = Fault.setLink("alice", "server", { latency: 60 })
      const slow = () => ({ ...fragile(), faults: [own] })
      const failure = yield* Effect.flip(Simulation.explore(slow, { runs: 1, drawFaults: () => [own], maxShrinks: 0 }))
      assert.deepStrictEqual(failure.faults, [own, own])
    }))

  it.effect("a smaller plan that breaks something else does not count", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Simulation.explore(() => {
        let resets = 0
        return {
          hosts: { server: ShoutServer() },
          clients: {
            alice: Effect.gen(function*() {
              const network = yield* Simulation.Network
              yield* Effect.ignore(Effect.scoped(caller(3)))
              yield* Effect.ignore(Effect.scoped(caller(3)))
              resets = network.counts.lost
            })
          },
          invariants: {
            "two are lost": Simulation.atEnd(() => resets !== 4),
            "one is lost": Simulation.atEnd(() => resets !== 2)
          }
        }
      }, {
        runs: 1,
        drawFaults: () => [Fault.reset("alice", "server", { at: 1500 }), Fault.reset("alice", "server", { at: 4000 })]
      }))
      assert.deepStrictEqual([failure.invariant, failure.faults.length], ["two are lost", 2])
    }))

  it.effect("spends no more runs on making it small than it may", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Simulation.explore(fragile, { runs: 50, drawFaults: draw, maxShrinks: 3 }))
      assert.strictEqual(failure.search?.shrinks, 3)
      const raw = yield* Effect.flip(Simulation.explore(fragile, { runs: 50, drawFaults: draw, maxShrinks: 0 }))
      assert.strictEqual(raw.faults.length, 8)
    }))

  it.effect("counts runs and different traces, and takes plans from an Arbitrary", () =>
    Effect.gen(function*() {
      const seen = yield* Simulation.explore(several, { runs: 10 })
      assert.deepInclude(seen, { runs: 10, traces: 10 })
      const stalls = Arbitrary.map(
        Arbitrary.schema(Schema.Literals([100, 500])),
        (forMillis): Fault.Plan => [Fault.stall("alice", "server", { forMillis })]
      )
      const plans = new Set<string>()
      yield* Effect.flip(Simulation.explore(
        () => ({ ...several(), invariants: { never: Simulation.sometimes(() => false) } }),
        { runs: 1, drawFaults: stalls }
      )).pipe(Effect.map(({ faults }) => plans.add(JSON.stringify(faults))))
      assert.match(Array.from(plans)[0]!, /^\[\{"_tag":"Stall","from":"alice","to":"server","forMillis":[15]00\}\]$/)
    }))

  it.effect("gives one failure of each invariant, where all are wanted", () =>
    Effect.gen(function*() {
      let run = 0
      const failures = yield* Simulation.exploreAll(() => {
        run++
        const which = run % 3
        return {
          hosts: {},
          clients: { alice: Effect.void },
          invariants: {
            one: Simulation.always(() => which !== 1),
            two: Simulation.always(() => which !== 2)
          }
        }
      }, { runs: 20 })
      assert.sameMembers(failures.map(({ invariant }) => invariant), ["one", "two"])
    }))

  it.effect("a sometimes that holds in no run is a failure, in one run it is enough", () =>
    Effect.gen(function*() {
      const scenario = (seeds: ReadonlyArray<number>) => () => {
        let latency = 0
        return {
          hosts: {},
          clients: { alice: Effect.sync(() => void latency++) },
          invariants: { "now and then": Simulation.sometimes(() => seeds.includes(turn++) && latency > 0) }
        }
      }
      let turn = 0
      yield* Simulation.explore(scenario([2, 3, 4, 5]), { runs: 5 })
      turn = 0
      const failure = yield* Effect.flip(Simulation.explore(scenario([]), { runs: 5 }))
      assert.deepStrictEqual([failure.invariant, failure.broken], ["now and then", "it never held"])
      const [missed, ...others] = yield* Simulation.exploreAll(scenario([]), { runs: 5 })
      assert.deepStrictEqual([missed?.invariant, others], ["now and then", []])
    }))

  it.effect("what never held is told with the last run's trace", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Simulation.explore(() => ({
        hosts: {},
        clients: { alice: Effect.log("ahoy") },
        invariants: { "now and then": Simulation.sometimes(() => false) }
      }), { runs: 2 }))
      assert.deepStrictEqual([failure.seed, failure.trace], [2, ["     0.000 client alice: INFO ahoy"]])
    }))

  it.effect("what fails without faults has nothing to be made small", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(
        Simulation.explore(() => ({ hosts: {}, clients: { alice: Effect.fail("no wind") } }), { runs: 2 })
      )
      assert.strictEqual(failure.message.split("\n")[2], "found by run 1, without faults")
    }))

  it.effect("options that cannot be are defects", () =>
    Effect.gen(function*() {
      for (const options of [{ runs: 0 }, { runs: 1, maxShrinks: -1 }]) {
        const exit = yield* Effect.exit(Simulation.explore(several, options))
        assert.match(Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "", /must be/)
      }
    }))
})

describe("Simulation.checkDeterminism", () => {
  it.effect("runs twice and finds nothing in a deterministic scenario", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.checkDeterminism(several, { seed: 5, faults: [] })
      assert.strictEqual(report.seed, 5)
    }))

  it.effect("finds nothing under faults either, whatever the order of fibers", () =>
    Effect.gen(function*() {
      const scenario = () => {
        const { clients, ...rest } = several()
        return { ...rest, clients: { alice: Effect.ignore(clients.alice), bob: Effect.ignore(clients.bob) } }
      }
      for (let seed = 1; seed <= 15; seed++) {
        const faults = [
          ...drawFaults(Random.make(seed)),
          Fault.reset("server", "bob", { atByte: seed }),
          Fault.crash("server", { at: 100 * seed, restartAfterMillis: 500 })
        ]
        yield* Simulation.checkDeterminism(scenario, { seed, faults })
      }
    }))

  it.effect("what programs draw with Effect's Random is the seed's: jitter, and the lifetimes of connections", () =>
    Effect.gen(function*() {
      const scenario = () => ({
        hosts: { server: ShoutServer({ deadlines: { lifetime: "10 seconds", lifetimeJitter: 0.5 } }) },
        clients: {
          alice: Effect.ignore(caller(20)),
          bob: Effect.repeat(Effect.log("hoy"), { schedule: Schedule.jittered(Schedule.spaced("1 second")), times: 3 })
        }
      })
      const logged = (seed: number) =>
        Effect.map(
          Simulation.checkDeterminism(scenario, { seed, faults: [] }),
          ({ trace }) => trace.filter((line) => line.endsWith("hoy"))
        )
      assert.notDeepEqual(yield* logged(1), yield* logged(2))
    }))

  it.effect("names the first line that differs", () =>
    Effect.gen(function*() {
      let run = 0
      const error = yield* Effect.flip(Simulation.checkDeterminism(() => ({
        hosts: { server: ShoutServer() },
        clients: { alice: Effect.suspend(() => Effect.andThen(caller(1), Effect.log(`run ${++run}`))) }
      }), { seed: 1, faults: [] }))
      assert.deepStrictEqual(
        [error.line, error.first.trim(), error.second.trim()],
        [9, "1004.000 client alice: INFO run 1", "1004.000 client alice: INFO run 2"]
      )
    }))

  it.effect("finds runs that differ in their steps only", () =>
    Effect.gen(function*() {
      let run = 0
      const error = yield* Effect.flip(Simulation.checkDeterminism(() => ({
        hosts: {},
        clients: { alice: Effect.suspend(() => Effect.repeat(Effect.yieldNow, { times: run++ })) }
      }), { seed: 1, faults: [] }))
      assert.match(error.message, /the end, after \d+ steps/)
    }))
})

describe("Simulation.watchServer", () => {
  const id = 1
  const peer = { id, peer: undefined as never }
  const ended = {
    _tag: "Ended",
    ...peer,
    reason: { _tag: "PeerClosed" },
    bytesIn: 0,
    bytesOut: 0,
    messagesIn: 0,
    messagesOut: 0
  } as Server.Event
  const accepted: Server.Event = { _tag: "Accepted", ...peer }
  const refused = { _tag: "Refused", ...peer, reason: { _tag: "Drained" }, refusal: "reset" } as Server.Event
  const waiting: Server.Event = { _tag: "Waiting", ...peer }

  const ask = (events: ReadonlyArray<Server.Event>) => {
    const watch = Simulation.watchServer({ name: "s" })
    for (const event of events) watch.onEvent(event)
    return Object.values(watch.invariants).map(({ check }) => check()).find((answer) => typeof answer === "string")
  }

  it.each<[string, ReadonlyArray<Server.Event>, string | undefined]>([
    ["in and out", [accepted, ended], undefined],
    ["wait, in and out", [waiting, accepted, ended], undefined],
    ["wait and refused", [waiting, refused], undefined],
    ["wait for two things", [waiting, waiting, accepted, ended], undefined],
    ["wait after it was in", [accepted, waiting], "connection 1 came twice"],
    ["ended twice", [accepted, ended, ended], "connection 1 ended with PeerClosed, but it was not open"],
    ["ended before it was in", [ended], "connection 1 ended with PeerClosed, but it was not open"],
    ["in twice", [accepted, accepted], "connection 1 came twice"],
    ["in after it was refused", [refused, accepted], "connection 1 came twice"],
    ["refused after it was in", [accepted, refused], "connection 1 was refused after it was let in"],
    ["never out", [accepted], "1 connections have not ended, and 0 wait"],
    ["never in", [waiting], "0 connections have not ended, and 1 wait"]
  ])("%s", (_, events, says) => {
    assert.strictEqual(ask(events), says)
  })

  it.each<[string, Partial<Server.DrainReport>, string | undefined]>([
    ["a drain within its time", {}, undefined],
    [
      "a drain that is too slow",
      { elapsed: Duration.millis(11_001) },
      "the drain took 11001 ms, over its limit of 11000 ms"
    ],
    ["a drain that forgets one", { drained: 0 }, "the drain reports 0 connections, 1 were let in"],
    ["a drain that makes one up", { refused: 3 }, "the drain reports 3 refused connections, there were 0"]
  ])("%s", (_, differing, says) => {
    const report = { served: 0, drained: 1, forced: 0, refused: 0, elapsed: Duration.millis(10), ...differing }
    assert.strictEqual(ask([accepted, ended, { _tag: "Drained", report }]), says)
  })

  it.effect("holds for a real server under faults, refusals and a crash", () =>
    Effect.gen(function*() {
      const scenario = () => {
        const watch = Simulation.watchServer()
        const client = Effect.ignore(caller(3))
        return {
          hosts: {
            server: ShoutServer({
              onEvent: watch.onEvent,
              maxConnections: 1,
              overflow: Admission.wait({ maxWaiting: 1, timeout: "1 second", otherwise: "close" })
            })
          },
          clients: { alice: client, bob: client, carol: client },
          invariants: {
            ...watch.invariants,
            "somebody is refused": Simulation.sometimes(() => watch.stats().refused > 0),
            "somebody is served": Simulation.sometimes(() => watch.stats().ended > 0)
          }
        }
      }
      yield* Simulation.explore(scenario, {
        runs: 30,
        drawFaults: (random) => [
          Fault.reset("alice", "server", { at: random.int(0, 4000) }),
          Fault.partition("bob", "server", { at: random.int(0, 4000), forMillis: random.int(0, 3000) }),
          Fault.crash("server", { at: random.int(0, 4000), restartAfterMillis: 100 })
        ]
      })
    }))
})

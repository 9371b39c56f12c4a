// Two clients of a counter on a simulated network: a race is found, replayed from its seed, and fixed.
import { Console, Effect, Semaphore } from "effect"
import { Client, Codec, Framing, Protocol, Server } from "hawser"
import { Fault, type Random, Simulation } from "hawser/testing"

const line = Codec.text(Framing.lines({ maxFrameBytes: 64, ending: "lf", unterminated: "reject" }))
const Counter = Protocol.make("counter", { request: line, response: line })

/** Between reading the count and storing it, another request may come. */
const system = (guard: (add: Effect.Effect<string>) => Effect.Effect<string>) => () => {
  let count = 0
  let answered = 0
  const add = guard(Effect.gen(function*() {
    const before = count
    yield* Effect.sleep("100 millis")
    count = before + 1
    return String(count)
  }))
  const client = Effect.gen(function*() {
    const { call } = yield* Client.make(Counter, "tcp://server:7000")
    yield* Effect.repeat(Effect.map(Effect.delay(call("add"), "1 second"), () => answered++), { times: 2 })
  })
  return {
    hosts: { server: Server.layer(Counter, "tcp://*:7000", () => add) },
    clients: { alice: client, bob: Effect.delay(client, "500 millis") },
    invariants: {
      "every answer was counted": Simulation.always(() => count >= answered || `${answered} answers, count ${count}`)
    }
  }
}

const drawFaults = (random: Random.Random): Fault.Plan =>
  Array.from({ length: 6 }, () => {
    const time = { at: random.int(0, 3000), forMillis: random.int(0, 1000) }
    return Fault.stall(random.pick(["alice", "bob"]), "server", time)
  })

const program = Effect.gen(function*() {
  const racy = system((add) => add)
  const found = yield* Effect.flip(Simulation.explore(racy, { runs: 100, drawFaults }))
  yield* Console.log(`${found.invariant}: ${found.broken}\n${Simulation.formatReplay(found)}`)
  const again = yield* Effect.flip(Simulation.replay(racy, found))
  yield* Console.log(`again: ${again.broken}`)

  const safe = system(Semaphore.makeUnsafe(1).withPermits(1))
  const { runs } = yield* Simulation.explore(safe, { runs: 100, drawFaults })
  yield* Console.log(`fixed: ${runs} runs are fine`)
})

await Effect.runPromise(program)

// Prints:
//   every answer was counted: 2 answers, count 1
//   { seed: 1, faults: [
//     { _tag: "Stall", from: "alice", to: "server", at: 900, forMillis: 600 }
//   ] }
//   again: 2 answers, count 1
//   fixed: 100 runs are fine

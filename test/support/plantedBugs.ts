/**
 * Four systems with one bug each, as people write them, and the same systems without it.
 */
import { type Cause, Clock, Deferred, Effect, Fiber, FiberSet, Semaphore } from "effect"
import { Client, Codec, Connection, Endpoint, Framing, Protocol, Server, Transport } from "../../src/index.ts"
import { type Fault, type Random, Simulation } from "../../src/testing/index.ts"

export type Variant = "broken" | "fixed"

const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))

const Shout = Protocol.make("shout", { request: line, response: line })

const endpoint = "tcp://server:7000"

/** A few faults between the clients and the server: some that matter, and some that do not. */
export const drawFaults = (random: Random.Random): Fault.Plan =>
  Array.from({ length: random.int(2, 6) }, () => {
    const at = random.int(0, 12_000)
    const from = random.pick(["alice", "bob"])
    const to = "server"
    return random.pick<Fault.Fault>([
      { _tag: "Partition", from, to, at, forMillis: random.int(100, 9000) },
      { _tag: "Stall", from, to, at, forMillis: random.int(100, 9000) },
      { _tag: "Stall", from: to, to: from, at, forMillis: random.int(100, 9000) },
      { _tag: "SetLink", from, to, at, settings: { latency: random.int(1, 200) } },
      { _tag: "HoldAccepts", host: to, at, forMillis: random.int(10, 500) }
    ])
  })

/** Two clients that each run this; whatever the network does to them is no failure. */
const both = <E, R>(client: Effect.Effect<unknown, E, R>) => ({
  alice: Effect.ignore(client),
  bob: Effect.ignore(client)
})

// --- a drain that forgets one kind of connection ---------------------------------------------------------------------

/** A server that drains after 10 s: it waits for replies in progress, and sends the others away. */
const drainingServer = Effect.fnUntraced(function*(variant: Variant) {
  const transport = yield* Transport.Transport
  const fibers = yield* FiberSet.make()
  const run = yield* FiberSet.runtime(fibers)()
  const idle = new Set<Fiber.Fiber<unknown, unknown>>()
  const draining = yield* Deferred.make<void>()
  const serve = Effect.fnUntraced(function*(raw: Transport.RawSocket) {
    const connection = yield* Connection.fromRawSocket(raw, line, { linger: "500 millis" })
    const self = yield* Effect.withFiber(Effect.succeed)
    // The bug: who has not said anything is in no list.
    if (variant === "fixed") idle.add(self)
    while (true) {
      const batch = yield* connection.pull
      idle.delete(self)
      yield* connection.write(batch.map((text) => text.toUpperCase()))
      if (yield* Deferred.isDone(draining)) return
      idle.add(self)
    }
  })
  const listener = yield* transport.listen(Endpoint.fromInputUnsafe(endpoint), {
    backlog: 10,
    onAccept: (raw) => void run(Effect.ignore(Effect.scoped(serve(raw))))
  })
  yield* Effect.sleep("10 seconds")
  yield* listener.close
  yield* Deferred.succeed(draining, undefined)
  for (const fiber of idle) fiber.interruptUnsafe()
  yield* FiberSet.awaitEmpty(fibers)
})

export const forgetfulDrain = (variant: Variant) => () => {
  let took = 0
  return {
    hosts: {
      server: Effect.gen(function*() {
        const server = yield* Effect.forkChild(Effect.scoped(drainingServer(variant)))
        yield* Effect.sleep("10 seconds")
        const begun = yield* Clock.currentTimeMillis
        yield* Effect.ensuring(
          Fiber.join(server),
          Effect.map(Clock.currentTimeMillis, (now) => void (took = now - begun))
        )
      })
    },
    // They come at 8 s, and speak at 9.5 s.
    clients: both(Effect.gen(function*() {
      yield* Effect.sleep("8 seconds")
      const client = yield* Client.make(Shout, endpoint)
      yield* Effect.sleep("1500 millis")
      yield* Effect.repeat(Effect.andThen(client.call("hello"), Effect.sleep("200 millis")), { times: 20 })
    })),
    duration: "30 seconds",
    invariants: {
      "the drain takes at most 1 s": Simulation.atEnd(() => took <= 1000 || `it took ${took} ms`)
    }
  } as const
}

// --- a client that hands a late reply to the next call ---------------------------------------------------------------

export const lateReply = (variant: Variant) => () => {
  const wrong: Array<string> = []
  const call = Effect.fnUntraced(
    function*(connection: Connection.Connection<string>, late: { count: number }, text: string) {
      yield* connection.write([text])
      const reply: Effect.Effect<string, Connection.ConnectionError | Cause.Done> = Effect.flatMap(
        connection.pull,
        ([first]) => variant === "fixed" && late.count > 0 ? (late.count--, reply) : Effect.succeed(first)
      )
      const answer = yield* Effect.timeoutOption(reply, "1 second")
      // The bug: that an answer is still to come, nobody knows afterwards.
      if (answer._tag === "None") late.count++
      else if (answer.value !== text.toUpperCase()) wrong.push(`${text} was answered with ${answer.value}`)
    }
  )
  return {
    hosts: { server: Server.layer(Shout, endpoint, (text) => Effect.succeed(text.toUpperCase())) },
    clients: both(Effect.gen(function*() {
      const connection = yield* Connection.connect(endpoint, line)
      const late = { count: 0 }
      for (let n = 0; n < 10; n++) {
        yield* call(connection, late, `call ${n}`)
        yield* Effect.sleep("1 second")
      }
    })),
    invariants: { "every call gets its own reply": Simulation.always(() => wrong[0]) }
  }
}

// --- a permit that is leaked on interruption -------------------------------------------------------------------------

export const leakedPermit = (variant: Variant) => () => {
  let free = 1
  return {
    hosts: { server: Server.layer(Shout, endpoint, (text) => Effect.succeed(text.toUpperCase())) },
    clients: both(Effect.gen(function*() {
      const client = yield* Client.make(Shout, endpoint)
      const semaphore = yield* Semaphore.make(1)
      const guarded = variant === "fixed"
        ? semaphore.withPermits(1)(client.call("hello"))
        // The bug: between the two, the call may be interrupted.
        : Effect.gen(function*() {
          yield* Semaphore.take(semaphore, 1)
          const reply = yield* client.call("hello")
          yield* Semaphore.release(semaphore, 1)
          return reply
        })
      for (let n = 0; n < 10; n++) {
        yield* Effect.timeoutOption(guarded, "2 seconds")
        yield* Effect.sleep("1 second")
      }
      free = Math.min(free, (yield* semaphore.takeIfAvailable(1)) ? 1 : 0)
    })),
    invariants: { "the permit comes back": Simulation.always(() => free === 1) }
  }
}

// --- a lost wake-up --------------------------------------------------------------------------------------------------

/** A queue by hand: looks whether there is something, and then waits until it is told. */
const makeQueue = (variant: Variant) => {
  const items: Array<() => void> = []
  let wake: (() => void) | undefined
  const wait = Effect.callback<void>((resume) => {
    // Without the bug it looks again where nothing can come between looking and waiting.
    if (variant === "fixed" && items.length > 0) return resume(Effect.void)
    wake = () => resume(Effect.void)
  })
  const put = (item: () => void) =>
    Effect.andThen(
      Effect.sync(() => void items.push(item)),
      Effect.sync(() => {
        const waiter = wake
        wake = undefined
        waiter?.()
      })
    )
  const take = Effect.gen(function*() {
    while (true) {
      const isEmpty = yield* Effect.sync(() => items.length === 0)
      if (isEmpty) yield* wait
      else return items.shift()!
    }
  })
  return { put, take }
}

export const lostWakeUp = (variant: Variant) => () => {
  let slowest = 0
  return {
    hosts: {
      server: Effect.gen(function*() {
        const queue = makeQueue(variant)
        yield* Effect.forkScoped(Effect.forever(Effect.map(queue.take, (item) => item())))
        yield* Server.make(Shout, endpoint, (text) =>
          Effect.gen(function*() {
            const begun = yield* Clock.currentTimeMillis
            const done = yield* Deferred.make<string>()
            yield* queue.put(() => Deferred.doneUnsafe(done, Effect.succeed(text.toUpperCase())))
            const reply = yield* Deferred.await(done)
            slowest = Math.max(slowest, (yield* Clock.currentTimeMillis) - begun)
            return reply
          }))
      })
    },
    // Two at once, each second.
    clients: both(Effect.gen(function*() {
      const client = yield* Client.make(Shout, endpoint)
      yield* Effect.repeat(Effect.andThen(client.call("hello"), Effect.sleep("1 second")), { times: 19 })
    })),
    invariants: {
      "the server takes no time": Simulation.always(() => slowest === 0 || `a request took ${slowest} ms`)
    }
  }
}

// A test of a program that knows only Effect's own sockets: does the log arrive whole when the network breaks?
import { Clock, Console, Effect, Layer, Schedule } from "effect"
import { Socket, SocketServer } from "effect/socket"
import { EffectSocket } from "hawser"
import { Fault, SimulatedNetwork, VirtualTime } from "hawser/testing"

// The program: a lighthouse tells its log from the line that it is asked for, one line a second, ...
const tell = Effect.fnUntraced(function*(socket: Socket.Socket) {
  const pull = yield* Socket.readerString(socket)
  const { write } = yield* socket.writer
  for (let line = Number((yield* pull)[0]);; line++) {
    yield* write(`line ${line}\n`)
    yield* Effect.sleep("1 second")
  }
})
const Lighthouse = Layer.effectDiscard(SocketServer.SocketServer.use(({ run }) => Effect.forkScoped(run(tell))))

// ... and a harbour collects it, and asks again for what is missing when the connection breaks.
const collect = Effect.fnUntraced(function*(lines: number) {
  const socket = yield* Socket.Socket
  let log = ""
  const collected = () => log.split("\n").length - 1
  yield* Effect.gen(function*() {
    const pull = yield* Socket.readerString(socket)
    const { write } = yield* socket.writer
    log = log.slice(0, log.lastIndexOf("\n") + 1) // a line that was cut comes again
    yield* Console.log(`connected, asking for line ${collected()}`)
    yield* write(`${collected()}`)
    while (collected() < lines) log += (yield* pull).join("")
  }).pipe(Effect.scoped, Effect.retry(Schedule.spaced("5 seconds")))
  return log
})

const test = Effect.gen(function*() {
  const network = yield* SimulatedNetwork.make({
    seed: 7,
    faults: [
      Fault.reset("server", "client", { atByte: 25, connection: 1 }),
      Fault.partition("client", "server", { at: 12_000, forMillis: 30_000 })
    ]
  })
  const Server = EffectSocket.layerSocketServer("tcp://*:7000").pipe(Layer.provide(network.layer("server")))
  const Client = EffectSocket.layerSocket("tcp://server:7000").pipe(Layer.provide(network.layer("client")))
  yield* Layer.build(Lighthouse.pipe(Layer.provide(Server)))
  const log = yield* Effect.provide(collect(20), Client)
  const whole = log === Array.from({ length: 20 }, (_, line) => `line ${line}\n`).join("")
  yield* Console.log(whole ? "the log is whole" : log)
  yield* Console.log(`after ${Math.round((yield* Clock.currentTimeMillis) / 1000)} virtual seconds`)
})

await Effect.runPromise(VirtualTime.run(test))

// Prints:
//   connected, asking for line 0
//   connected, asking for line 3
//   the log is whole
//   after 44 virtual seconds

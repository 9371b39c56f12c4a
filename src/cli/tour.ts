/**
 * `hawser tour`: what hawser claims, shown with real servers and clients over loopback TCP, and checked.
 *
 * Read it from top to bottom: each claim is a small program of its own. A server is a layer; `serve` builds it in the
 * claim's scope, so it is drained and gone when the claim is over. Nothing here waits for a time to pass: where one thing
 * must happen before another, there is a `Deferred` or a `Latch` that says so.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Client from "../Client.ts"
import * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"
import * as Connection from "../Connection.ts"
import * as Endpoint from "../Endpoint.ts"
import * as NodeTransport from "../NodeTransport.ts"
import * as Server from "../Server.ts"
import * as CrcCheck from "../services/CrcCheck.ts"
import * as Echo from "../services/Echo.ts"
import * as Goodbye from "../services/Goodbye.ts"
import * as Reverse from "../services/Reverse.ts"
import * as Claim from "./Claim.ts"

/** Port 0: the system picks a free one. */
const anywhere = "tcp://127.0.0.1:0"

/** Starts a server for the time of the scope. */
const serve = Effect.fnUntraced(function*<E, R>(name: string, layer: Layer.Layer<Server.Server, E, R>) {
  const server = Context.get(yield* Layer.build(layer), Server.Server)
  yield* Claim.say(`${name} listens on ${Endpoint.format(server.endpoint)}`)
  return server
})

/** A client for the time of the scope. */
const dial = (endpoint: Endpoint.Endpoint) => Client.make(Reverse.protocol(), endpoint)

const echo = Claim.make("An echo server sends back what comes", function*() {
  const { endpoint } = yield* serve("echo", Echo.layer(anywhere))
  const client = yield* Client.make(Echo.protocol(), endpoint)
  const answer = yield* client.call("hello, quay")
  yield* Claim.say(`sent     "hello, quay"`)
  yield* Claim.say(`received "${answer}"`)
  yield* Claim.check("the same text came back", answer, "hello, quay")
})

const reverse = Claim.make("A reverse server turns texts around and keeps each character whole", function*() {
  const { endpoint } = yield* serve("reverse", Reverse.layer(anywhere))
  const client = yield* dial(endpoint)
  const first = yield* client.call("shaurya says geeksforgeeks")
  yield* Claim.say(`sent     "shaurya says geeksforgeeks"`)
  yield* Claim.say(`received "${first}"`)
  yield* Claim.check("it is turned around", first, "skeegrofskeeg syas ayruahs")
  const second = yield* client.call("héllo 👩‍👩‍👧")
  yield* Claim.say(`sent     "héllo 👩‍👩‍👧"`)
  yield* Claim.say(`received "${second}"`)
  yield* Claim.check("so is this, and the family stays together", second, "👩‍👩‍👧 olléh")
})

const many = Claim.make("Many clients are served at once, each on a fiber of its own", function*() {
  const clients = Arr.range(1, 100)
  const fibers = new Set<number>()
  const allAreHere = yield* Latch.make()
  // Nobody is answered until everybody has asked: a server that takes one after the other would wait for ever.
  const patient = Server.layer(Reverse.protocol(), anywhere, (text) =>
    Effect.gen(function*() {
      fibers.add(yield* Effect.fiberId)
      if (fibers.size === clients.length) yield* Latch.open(allAreHere)
      yield* Latch.await(allAreHere)
      return Reverse.reverse(text)
    }))
  const { endpoint } = yield* serve("a patient reverse", patient)
  yield* Claim.say(`${clients.length} clients connect and ask; nobody is answered before all of them have`)
  const answers = yield* Effect.forEach(
    clients,
    (n) => Effect.scoped(Effect.flatMap(dial(endpoint), (client) => client.call(`client ${n}`))),
    { concurrency: "unbounded" }
  )
  yield* Claim.check("each got its own answer", answers, clients.map((n) => Reverse.reverse(`client ${n}`)))
  yield* Claim.check(`${clients.length} fibers answered`, fibers.size, clients.length)
})

const full = Claim.make("Of five places a sixth client gets none, and hears why", function*() {
  const left = yield* Deferred.make<void>()
  const refused = yield* Deferred.make<CloseReason.CloseReason>()
  const { endpoint, stats } = yield* serve(
    "reverse for five",
    Reverse.layer(anywhere, {
      maxConnections: 5,
      onEvent: (event) => {
        if (event._tag === "Refused") Deferred.doneUnsafe(refused, Effect.succeed(event.reason))
        if (event._tag === "Ended") Deferred.doneUnsafe(left, Effect.void)
      }
    })
  )
  yield* Effect.scoped(Effect.gen(function*() {
    const five = yield* Effect.forEach(Arr.range(1, 5), () => dial(endpoint), { concurrency: "unbounded" })
    const answers = yield* Effect.forEach(five, (client, n) => client.call(`client ${n + 1}`))
    yield* Claim.say(`five clients are in, and served: ${answers.join(", ")}`)
    const sixth = yield* Connection.connect(endpoint, Codec.text(Reverse.defaults.framing))
    const [words] = yield* sixth.pull
    yield* Claim.say(`the sixth hears "${words}"`)
    yield* Claim.check("the sixth was told why", words, Goodbye.full)
    const reason = CloseReason.format(yield* Deferred.await(refused))
    yield* Claim.check("the server knows it too", reason, "maxConnections is 5")
  }))
  yield* Deferred.await(left)
  const seventh = yield* dial(endpoint)
  yield* Claim.check("when one has left, the next is served", yield* seventh.call("stressed"), "desserts")
  yield* Claim.check("exactly one was turned away", (yield* stats).refused, 1)
})

const half = Claim.make("A client that ends its side still gets its answer", function*() {
  const { endpoint } = yield* serve("reverse", Reverse.layer(anywhere))
  const connection = yield* Connection.connect(endpoint, Codec.bytes)
  yield* connection.write([new TextEncoder().encode("abc")])
  yield* connection.finish
  yield* Claim.say(`sent "abc" and nothing after it, not even the end of the line: printf abc | nc -N`)
  let received = ""
  yield* Connection.forEachBatch(connection, (batch) =>
    Effect.sync(() => {
      for (const chunk of batch) received += new TextDecoder().decode(chunk)
    }))
  yield* Claim.check("the answer came, and then the end", received, "cba\n")
})

const drain = Claim.make("A server that closes lets the request in flight finish, and nobody new in", function*() {
  const asked = yield* Deferred.make<void>()
  const mayAnswer = yield* Deferred.make<void>()
  const draining = yield* Deferred.make<void>()
  const slow = Server.layer(Reverse.protocol(), anywhere, (text) =>
    Effect.gen(function*() {
      yield* Deferred.succeed(asked, undefined)
      yield* Deferred.await(mayAnswer)
      return Reverse.reverse(text)
    }), {
    onEvent: (event) => {
      if (event._tag === "Draining") Deferred.doneUnsafe(draining, Effect.void)
    }
  })
  const server = yield* serve("a slow reverse", slow)
  const busy = yield* dial(server.endpoint)
  yield* dial(server.endpoint)
  const answer = yield* Effect.forkScoped(busy.call("stop loops"))
  yield* Deferred.await(asked)
  yield* Claim.say("one client waits for its answer, another has nothing to ask; now the server is closed")
  const report = yield* Effect.forkScoped(server.drain)
  yield* Deferred.await(draining)
  const late = yield* Effect.flip(dial(server.endpoint))
  yield* Claim.check(
    "a client that comes now is refused by the system",
    late._tag === "ConnectError" && late.reason,
    "Refused"
  )
  yield* Deferred.succeed(mayAnswer, undefined)
  yield* Claim.check("the request in flight was answered", yield* Fiber.join(answer), "spool pots")
  const { drained, forced, refused, served } = yield* Fiber.join(report)
  yield* Claim.say(`the report: ${served} served before, ${drained} drained, ${forced} forced, ${refused} refused`)
  yield* Claim.check("both connections ended in their own time", { drained, forced }, { drained: 2, forced: 0 })
})

const repair = Claim.make("A message that is spoilt on its way is refused, sent again, and taken once", function*() {
  const findings: Array<CrcCheck.Finding> = []
  const onFinding = (finding: CrcCheck.Finding) => void findings.push(finding)
  const { endpoint } = yield* serve("crc", CrcCheck.layer(anywhere, { onFinding }))
  // The link flips a bit in the middle of the first frame, and then gets better.
  const bits = [0.5]
  const sender = yield* CrcCheck.connect(endpoint, { noise: () => bits.shift() })
  const { again } = yield* sender.send("hold fast")
  yield* Claim.say(`sent     "hold fast", of which one bit flips`)
  for (const { detail, ok, received } of findings) {
    yield* Claim.say(ok ? `NAK; sent again; ACK: "${received}" (${detail})` : `refused: ${detail}`)
  }
  yield* Claim.check("it was refused once and sent again", again, ["Nak"])
  yield* Claim.check("it was taken once, as it was meant", findings.filter(({ ok }) => ok).map((_) => _.received), [
    "hold fast"
  ])
  yield* sender.send("and haul")
  yield* Claim.check("the connection went on", findings.at(-1)?.received, "and haul")
})

/** Shows and checks everything. @category running @since 0.1.0 */
export const tour = Claim.run([echo, reverse, many, full, half, drain, repair]).pipe(
  Effect.provide(NodeTransport.layer)
)

/** A simulated network with a host "client" and a host "server": as one transport, or with ears on its raw sockets. */
import { assert } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { Endpoint, Transport } from "../../src/index.ts"
import { type SimulatedLink, SimulatedNetwork, VirtualTime } from "../../src/testing/index.ts"

// --- as one transport ------------------------------------------------------------------------------------------------

/** The client dials from one host, and the server listens on the other. */
export const twoHosts = (link: SimulatedLink.Settings, seed = 1): Layer.Layer<Transport.Transport> =>
  Layer.effect(
    Transport.Transport,
    Effect.gen(function*() {
      const network = yield* SimulatedNetwork.make({ seed, link, hosts: ["client", "server"] })
      return { connect: network.transport("client").connect, listen: network.transport("server").listen }
    }).pipe(Effect.orDie)
  )

/** Where to listen, and what to dial. */
export const overLink = {
  endpoint: "tcp://*:0",
  dial: (listening: Endpoint.Endpoint) => `tcp://server:${"port" in listening ? listening.port : 0}`
}

// --- raw sockets -----------------------------------------------------------------------------------------------------

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Writes down what a raw socket tells, and when. */
export class Ear implements Transport.RawHandler {
  readonly raw: Transport.RawSocket
  /** `data 5`, `end`, `drain`, `close`, `close ECONNRESET`. */
  readonly heard: Array<string> = []
  /** The same, with the virtual time in front. */
  readonly times: Array<string> = []
  readonly chunks: Array<Uint8Array> = []
  private readonly now: () => number

  constructor(raw: Transport.RawSocket, now: () => number) {
    this.raw = raw
    this.now = now
    raw.attach(this)
    raw.resume()
  }
  private hear(what: string): void {
    this.heard.push(what)
    this.times.push(`${this.now()} ${what}`)
  }
  onData(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.hear(`data ${chunk.length}`)
  }
  onEnd(): void {
    this.hear("end")
  }
  onDrain(): void {
    this.hear("drain")
  }
  onClose(code: string | undefined): void {
    this.hear(code === undefined ? "close" : `close ${code}`)
  }
  get text(): string {
    return this.chunks.map((chunk) => decoder.decode(chunk)).join("")
  }
  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  }
  send(text: string): boolean {
    return this.raw.write([encoder.encode(text)])
  }
}

/** What a test has. */
export interface World {
  readonly network: SimulatedNetwork.SimulatedNetwork
  /** Listens on a host; every accepted socket gets an ear. */
  readonly listen: (
    endpoint?: string,
    host?: string,
    backlog?: number
  ) => Effect.Effect<{ readonly accepted: Array<Ear> } & Transport.Listener, Transport.BindError, Scope.Scope>
  readonly dial: (
    endpoint?: string,
    host?: string
  ) => Effect.Effect<Ear, Transport.ConnectError, Scope.Scope>
  /** A connection from "client" to "server", both ends with an ear. */
  readonly pair: Effect.Effect<
    { readonly client: Ear; readonly server: Ear },
    Transport.ConnectError | Transport.BindError,
    Scope.Scope
  >
}

/** Runs a test in virtual time, on a network with a host "client" and a host "server". */
export const onNetwork = <A, E>(
  options: SimulatedNetwork.Options,
  test: (world: World) => Effect.Effect<A, E, Scope.Scope | VirtualTime.VirtualTime>
): Effect.Effect<A, unknown> =>
  VirtualTime.run(Effect.scoped(Effect.gen(function*() {
    const network = yield* SimulatedNetwork.make({ hosts: ["client", "server"], ...options })
    const ear = (raw: Transport.RawSocket) => new Ear(raw, network.now)
    const listen: World["listen"] = Effect.fnUntraced(
      function*(endpoint = "tcp://*:7000", host = "server", backlog = 128) {
        const accepted: Array<Ear> = []
        const listener = yield* network.transport(host).listen(Endpoint.fromStringUnsafe(endpoint), {
          backlog,
          onAccept: (raw) => void accepted.push(ear(raw))
        })
        return { ...listener, accepted }
      }
    )
    const dial: World["dial"] = (endpoint = "tcp://server:7000", host = "client") =>
      Effect.map(network.transport(host).connect(Endpoint.fromStringUnsafe(endpoint)), ear)
    const pair = Effect.gen(function*() {
      const { accepted } = yield* listen()
      const client = yield* dial()
      yield* Effect.sleep(100)
      return { client, server: accepted[0] ?? assert.fail("nobody was accepted") }
    })
    return yield* test({ network, listen, dial, pair })
  })))

/** The reason and the code of a dial or bind that fails. */
export const why = <A, R>(
  effect: Effect.Effect<A, Transport.ConnectError | Transport.BindError, R>
): Effect.Effect<string, A, R> => Effect.map(Effect.flip(effect), ({ code, reason }) => `${reason} ${code}`)

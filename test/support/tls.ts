/** Certificates for the tests, and a transport whose every socket is secured. */
import { assert } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import * as Fs from "node:fs"
import { CloseReason, Endpoint, NodeTransport, type Tls, Transport } from "../../src/index.ts"
import { until } from "./nodeSockets.ts"
/** A file of `test/data/tls`. */
export const pem = (name: string): string =>
  Fs.readFileSync(new URL(`../data/tls/${name}.pem`, import.meta.url), "utf8")

/** A certificate of `test/data/tls` and its key. */
export const pair = (name: string): Tls.KeyPair => ({ certificate: pem(name), key: pem(`${name}.key`) })

/** What both sides of a test are given where it is not their subject. */
export const trusted = {
  server: { certificates: [pair("server")] },
  client: { ca: [pem("ca")], servername: "localhost" }
} satisfies { readonly server: Tls.ServerOptions; readonly client: Tls.ClientOptions }

/** Lays TLS over a transport: what it dials and accepts is handed out when the handshake is done. */
const secured = Effect.fnUntraced(function*(
  below: Transport.Transport["Service"],
  engine: Tls.Engine,
  options: { readonly server: Tls.ServerOptions; readonly client: Tls.ClientOptions }
) {
  const server = yield* engine.server(options.server)
  const client = yield* engine.client(options.client)
  const connect = (
    endpoint: Endpoint.Endpoint
  ): Effect.Effect<Transport.RawSocket, Transport.ConnectError, Scope.Scope> =>
    Effect.flatMap(below.connect(endpoint), (raw) =>
      Effect.callback((resume) => {
        const socket: Transport.RawSocket = engine.connect(raw, client, undefined, {
          onSecure: () => resume(Effect.succeed(socket)),
          onFailed: ({ code, reason }) => {
            const detail = reason._tag === "HandshakeFailed" ? reason.message : reason._tag
            resume(Effect.fail(new Transport.ConnectError({ endpoint, reason: "HandshakeFailed", code, detail })))
          }
        })
        return Effect.sync(() => socket.destroy())
      }))
  return Transport.Transport.of({
    connect,
    listen: (endpoint, listening) =>
      below.listen(endpoint, {
        ...listening,
        onAccept: (raw) => {
          const socket: Transport.RawSocket = engine.accept(raw, server, {
            onSecure: () => listening.onAccept(socket),
            onFailed: () => {}
          })
        }
      })
  })
})

/** One side of a handshake: what it was told, and everything that its owner heard. */
export class Side implements Transport.RawHandler {
  info: Tls.Info | undefined = undefined
  failure: Tls.HandshakeFailure | undefined = undefined
  heard = ""
  ended = false
  closed: { readonly code: string | undefined } | undefined = undefined
  /** How often each of the two ends of a handshake was told. */
  readonly told = { secure: 0, failed: 0 }
  raw: Transport.RawSocket | undefined = undefined

  /** Starts it: the socket flows as soon as it may. */
  start(secure: (handshake: Tls.Handshake) => Transport.RawSocket): void {
    this.raw = secure({
      onSecure: (info) => {
        this.told.secure++
        this.info = info
      },
      onFailed: (failure) => {
        this.told.failed++
        this.failure = failure
      }
    })
    this.raw.attach(this)
    this.raw.resume()
  }
  onData(chunk: Uint8Array): void {
    this.heard += new TextDecoder().decode(chunk)
  }
  onEnd(): void {
    this.ended = true
  }
  onDrain(): void {}
  onClose(code: string | undefined): void {
    this.closed = { code }
  }
  send(text: string): void {
    this.raw?.write([new TextEncoder().encode(text)])
  }
  /** Whether the handshake is over, one way or the other. */
  get over(): boolean {
    return this.info !== undefined || this.failure !== undefined
  }
  /** How it ended, in words. */
  get outcome(): string {
    if (this.failure !== undefined) return CloseReason.format(this.failure.reason)
    return this.info === undefined ? "hangs" : "secure"
  }
}

/** Two raw sockets in plain text that belong together, for the time of the scope. */
export const rawPair = Effect.fnUntraced(function*(endpoint: string) {
  const transport = yield* Transport.Transport
  const accepted: Array<Transport.RawSocket> = []
  const listener = yield* transport.listen(Endpoint.fromStringUnsafe(endpoint), {
    backlog: 16,
    onAccept: (raw) => void accepted.push(raw)
  })
  const client = yield* transport.connect(listener.endpoint)
  yield* until("the accept", () => accepted.length > 0)
  // What was accepted lives on, and the endpoint is free for another pair.
  yield* listener.close
  return { client, server: accepted[0]! } // until has looked
})

/** The engine of the transport. */
export const engine = Effect.map(
  Transport.Transport,
  ({ tls }) => tls ?? assert.fail("the transport brings no TLS")
)

/** Shakes hands over an endpoint's sockets, to the end of both sides. */
export const shake = Effect.fnUntraced(function*(
  endpoint: string,
  options: {
    readonly server?: Partial<Tls.ServerOptions>
    readonly client?: Tls.ClientOptions
    readonly host?: string
  } = {}
) {
  const tls = yield* engine
  const serving = yield* tls.server({ ...trusted.server, ...options.server })
  const calling = yield* tls.client({ ca: trusted.client.ca, ...options.client })
  const raw = yield* rawPair(endpoint)
  const server = new Side()
  const client = new Side()
  server.start((handshake) => tls.accept(raw.server, serving, handshake))
  client.start((handshake) => tls.connect(raw.client, calling, options.host ?? "localhost", handshake))
  yield* until("the end of the handshake", () => server.over && client.over)
  return { server, client, raw, serving }
})

/** A transport whose connections are all secure. */
export const overTls = (
  below: Layer.Layer<Transport.Transport>,
  versions: { readonly minVersion?: Tls.Version; readonly maxVersion?: Tls.Version } = {}
): Layer.Layer<Transport.Transport> =>
  Layer.effect(
    Transport.Transport,
    Effect.gen(function*() {
      const { tls } = yield* Effect.provide(Transport.Transport, NodeTransport.layer)
      const transport = yield* Transport.Transport
      if (tls === undefined) return yield* Effect.die("Node's transport brings no TLS")
      return yield* secured(transport, tls, {
        server: { ...trusted.server, ...versions },
        client: { ...trusted.client, ...versions }
      })
    })
  ).pipe(Layer.provide(below), Layer.orDie)

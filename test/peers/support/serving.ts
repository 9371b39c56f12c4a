/** A server of hawser's in this process, for programs of others: what it tells can be waited for. */
import { Effect, Layer, type Scope } from "effect"
import { CloseReason, type Endpoint, NodeTransport, Server, type Tls, type Transport } from "../../../src/index.ts"
import { collectLogs, type Logged, Text } from "../../support/network.ts"
import { pair } from "../../support/tls.ts"

/** Everything that a server told, and who waits for more of it. */
export class Told {
  readonly events: Array<Server.Event> = []
  private readonly waiting = new Set<() => void>()

  readonly onEvent = (event: Server.Event): void => {
    this.events.push(event)
    for (const look of this.waiting) look()
  }

  /** All events of a kind so far. */
  of<Tag extends Server.Event["_tag"]>(tag: Tag): Array<Extract<Server.Event, { readonly _tag: Tag }>> {
    return this.events.filter((event): event is Extract<Server.Event, { readonly _tag: Tag }> => event._tag === tag)
  }

  /** Waits for the n-th event of a kind. */
  nth<Tag extends Server.Event["_tag"]>(tag: Tag, n = 1): Effect.Effect<Extract<Server.Event, { readonly _tag: Tag }>> {
    return Effect.callback((resume) => {
      const look = () => {
        const event = this.of(tag)[n - 1]
        if (event === undefined) return
        this.waiting.delete(look)
        resume(Effect.succeed(event))
      }
      this.waiting.add(look)
      look()
      return Effect.sync(() => void this.waiting.delete(look))
    })
  }

  /** Why the n-th connection that was refused was so. */
  refusal(n = 1): Effect.Effect<string> {
    return Effect.map(this.nth("Refused", n), ({ reason }) => CloseReason.format(reason))
  }

  /** Why the n-th connection that ended did so. */
  ending(n = 1): Effect.Effect<string> {
    return Effect.map(this.nth("Ended", n), ({ reason }) => CloseReason.format(reason))
  }
}

/** The port of a server on an address. */
export const portOf = (endpoint: Endpoint.Endpoint): number =>
  endpoint._tag === "Tcp" || endpoint._tag === "Tls" ? endpoint.port : 0

/** Serves lines, each turned around. */
export const serveLines = Effect.fnUntraced(function*(endpoints: Server.Endpoints, options: Server.Options = {}) {
  const told = new Told()
  const server = yield* Server.make(
    Text,
    endpoints,
    (line) => Effect.succeed(Array.from(line).reverse().join("")),
    { ...options, onEvent: told.onEvent }
  )
  return { ...server, told, port: portOf(server.endpoint) }
})

/** Serves lines over TLS with the certificate `server`, unless the options say otherwise. */
export const serveTls = (tls: Partial<Tls.ServerOptions> = {}, options: Server.Options = {}) =>
  serveLines("tls://127.0.0.1:0", { ...options, tls: { certificates: [pair("server")], ...tls } })

/** Runs a test over real sockets and in real time; what is logged is collected. */
export const real = <A, E>(
  test: (logs: ReadonlyArray<Logged>) => Effect.Effect<A, E, Transport.Transport | Scope.Scope>
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const logs: Array<Logged> = []
    return test(logs).pipe(Effect.scoped, Effect.provide(Layer.merge(collectLogs(logs), NodeTransport.layer)))
  })

/** What a log has for people to look at. */
export const news = (logs: ReadonlyArray<Logged>): Array<string> =>
  logs.filter(({ level }) => level !== "Debug" && level !== "Trace").map(({ level, message }) => `${level}: ${message}`)

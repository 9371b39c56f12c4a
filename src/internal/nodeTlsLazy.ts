/**
 * Node's TLS, loaded when the first context is made: to load it takes a tenth of the time in which a server starts, and
 * most servers and clients need none.
 */
import * as Effect from "effect/Effect"
import type * as Tls from "../Tls.ts"

/** Set before there is a context, and without one there is no handshake. */
let loaded: Tls.Engine | undefined

const load: Effect.Effect<Tls.Engine> = Effect.suspend(() =>
  loaded === undefined
    ? Effect.map(Effect.promise(() => import("./nodeTls.ts")), ({ engine }) => loaded = engine)
    : Effect.succeed(loaded)
)

export const engine: Tls.Engine = {
  server: (options) => Effect.flatMap(load, ({ server }) => server(options)),
  client: (options) => Effect.flatMap(load, ({ client }) => client(options)),
  accept: (...args) => (loaded as Tls.Engine).accept(...args), // see above
  connect: (...args) => (loaded as Tls.Engine).connect(...args)
}

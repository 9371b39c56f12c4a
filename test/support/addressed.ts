/**
 * Peers with addresses, in memory: who comes says from where, and what descriptor its socket has.
 */
import { Effect, type Scope } from "effect"
import { Endpoint, type Server, Transport } from "../../src/index.ts"
import { Peer } from "./network.ts"

/** Where the server of most tests listens. */
export const door = Endpoint.tcpUnsafe("192.0.2.254", 7)

const named = (endpoint: Endpoint.Endpoint): Endpoint.Endpoint =>
  endpoint._tag === "Memory" ? endpoint : Endpoint.memoryUnsafe(Endpoint.format(endpoint))

/** A transport on which all endpoints are places in memory. */
export class Addressed {
  /** Who is on the way: memory hands them over in this order. */
  private readonly coming: Array<object> = []
  private readonly below: Transport.Transport["Service"]
  readonly transport: Transport.Transport["Service"]
  /** How often each endpoint was listened on. */
  readonly binds: Array<string> = []
  /** Endpoints that somebody else has. */
  readonly taken = new Set<string>()
  /** Scopes of listeners that are not closed. */
  scopes = 0
  /** What happens before somebody listens, and before somebody stops. */
  onBind: (endpoint: Endpoint.Endpoint) => Effect.Effect<unknown, never, Scope.Scope> = () => Effect.void
  onClose: Effect.Effect<unknown> = Effect.void
  /** How the last listener was to be listened on. */
  options: Transport.ListenOptions | undefined = undefined

  constructor(
    below: Transport.Transport["Service"],
    more: Pick<Transport.Transport["Service"], "tls" | "descriptorLimit"> = {}
  ) {
    this.below = below
    this.transport = Transport.Transport.of({
      ...more,
      connect: (endpoint) => below.connect(named(endpoint)),
      listen: (endpoint, options) =>
        Effect.gen({ self: this }, function*() {
          this.binds.push(Endpoint.format(endpoint))
          this.options = options
          yield* this.onBind(endpoint)
          if (this.taken.has(Endpoint.format(endpoint))) {
            return yield* new Transport.BindError({ endpoint, reason: "AddressInUse", code: "EADDRINUSE" })
          }
          yield* Effect.acquireRelease(Effect.sync(() => this.scopes++), () => Effect.sync(() => this.scopes--))
          const onAccept = (raw: Transport.RawSocket) => {
            const about = this.coming.shift() ?? {}
            for (const [name, value] of Object.entries(about)) Object.defineProperty(raw, name, { value })
            options.onAccept(raw)
          }
          const { close } = yield* below.listen(named(endpoint), { ...options, onAccept })
          return { close: Effect.andThen(Effect.suspend(() => this.onClose), close), endpoint }
        })
    })
  }

  /** Comes from an address, with whatever is to be said there. */
  dial(from: string, options: { readonly to?: Endpoint.Endpoint; readonly descriptor?: number } = {}) {
    return Effect.suspend(() => {
      const { descriptor, to = door } = options
      const peer = Endpoint.tcpUnsafe(from, 40_000)
      this.coming.push({ peer, local: to, ...(descriptor === undefined ? {} : { descriptor }) })
      return this.below.connect(named(to))
    })
  }

  /** Comes from an address, as a peer that does what it is told. */
  visit(from: string, options: { readonly to?: Endpoint.Endpoint; readonly descriptor?: number } = {}) {
    return Effect.map(this.dial(from, options), (raw) => new Peer(raw))
  }
}

/** The counts of a server, where they do not add up. To be asked in an event: what is thrown there would only be logged. */
export const wrongBooks = (stats: Effect.Effect<Server.Stats>): Server.Stats | undefined => {
  const all = Effect.runSync(stats)
  const { accepted, arrived, ended, handshaking, open, refused, waiting } = all
  return arrived === accepted + refused + waiting + handshaking && accepted === open + ended ? undefined : all
}

/** The counts of this moment, for an event. */
export const booksNow = (stats: Effect.Effect<Server.Stats>): Server.Stats => Effect.runSync(stats)

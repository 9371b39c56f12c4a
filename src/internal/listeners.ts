/**
 * The listeners of a server: bound together, closed together, and bound again to the same addresses.
 *
 * ```
 * bind --> listening --close--> suspended --bind--> listening       each time in a scope of its own,
 *                                                                    which is kept while its sockets may be open
 * ```
 *
 * A listener's scope owns the sockets that it accepted, so it outlives the listening. It is let go when the next one is
 * bound and nobody of its time is left.
 *
 * Invariant: either all endpoints are listened on, or none.
 */
import type * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Endpoint from "../Endpoint.ts"
import * as Transport from "../Transport.ts"
import { type Gate, plainGate } from "./arrival.ts"

/** One time of listening. */
interface Spell {
  readonly scope: Scope.Closeable
  readonly listeners: Array<Transport.Listener>
  /** The numbers of the sockets that were accepted, which count up, are between these. */
  firstId: number
  lastId: number
}

export class Listeners {
  private readonly transport: Transport.Transport["Service"]
  private readonly options: Omit<Transport.ListenOptions, "onAccept">
  private readonly scope: Scope.Scope
  private readonly tls: Gate
  private readonly accept: (raw: Transport.RawSocket, gate: Gate) => void
  /** What to bind; where a port was chosen, from then on that one. */
  private wanted: Arr.NonEmptyReadonlyArray<Endpoint.Endpoint>
  private current: Spell | undefined = undefined
  private past: ReadonlyArray<Spell> = []
  /** Descriptors that were closed cannot be had back: their numbers may be somebody else's. */
  private lost: Endpoint.Descriptor | undefined = undefined
  private isOver = false
  /** Where it listens, or did last. */
  endpoints: Arr.NonEmptyReadonlyArray<Endpoint.Endpoint>

  /** The scope closes when the last socket may be destroyed. */
  constructor(options: {
    readonly endpoints: Arr.NonEmptyReadonlyArray<Endpoint.Endpoint>
    readonly transport: Transport.Transport["Service"]
    readonly options: Omit<Transport.ListenOptions, "onAccept">
    readonly scope: Scope.Scope
    readonly tls: Gate
    readonly accept: (raw: Transport.RawSocket, gate: Gate) => void
  }) {
    this.wanted = options.endpoints
    this.endpoints = options.endpoints
    this.transport = options.transport
    this.options = options.options
    this.scope = options.scope
    this.tls = options.tls
    this.accept = options.accept
  }

  get isListening(): boolean {
    return this.current !== undefined
  }

  /** Binds all endpoints; where one cannot be, none is. `open` are the numbers of all sockets that are still open. */
  bind(open: ReadonlyArray<number> | undefined): Effect.Effect<void, Transport.BindError> {
    return Effect.gen({ self: this }, function*() {
      if (this.lost !== undefined) {
        return yield* new Transport.BindError({ endpoint: this.lost, reason: "AddressNotAvailable", code: "EBADF" })
      }
      yield* this.letGo(open)
      const spell: Spell = {
        scope: yield* Scope.fork(this.scope),
        listeners: [],
        firstId: Number.MAX_SAFE_INTEGER,
        lastId: 0
      }
      const bound = yield* Effect.onExit(
        Effect.forEach(this.wanted, (endpoint) => this.bindOne(spell, endpoint)),
        (exit) => Exit.isSuccess(exit) && !this.isOver ? Effect.void : this.stop(spell)
      )
      const [first, ...others] = bound
      if (this.isOver || first === undefined) return
      this.current = spell
      this.endpoints = [first, ...others]
      // A descriptor tells where it listens, and is bound by its number all the same.
      const [head, ...tail] = this.wanted
      this.wanted = [keep(head, first), ...tail.map((endpoint, i) => keep(endpoint, others[i] ?? endpoint))]
    })
  }

  /** Stops listening; whoever was accepted lives on. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const { current } = this
    if (current === undefined) return Effect.void
    this.current = undefined
    this.lost = this.wanted.find((endpoint) => endpoint._tag === "Descriptor")
    return this.stop(current)
  })

  /** Stops listening for good, also what is being bound. */
  readonly end: Effect.Effect<void> = Effect.suspend(() => {
    this.isOver = true
    return this.close
  })

  private stop(spell: Spell): Effect.Effect<void> {
    this.past = [...this.past, spell]
    return Effect.forEach(spell.listeners, ({ close }) => close, { discard: true })
  }

  private bindOne(spell: Spell, endpoint: Endpoint.Endpoint): Effect.Effect<Endpoint.Endpoint, Transport.BindError> {
    const isTls = Endpoint.isSecure(endpoint)
    const gate = isTls ? this.tls : plainGate
    const below = endpoint._tag === "Tls" ? Endpoint.tcpUnsafe(endpoint.host, endpoint.port) : endpoint
    const onAccept = (raw: Transport.RawSocket): void => {
      spell.firstId = Math.min(spell.firstId, raw.id)
      spell.lastId = Math.max(spell.lastId, raw.id)
      this.accept(raw, gate)
    }
    return this.transport.listen(below, { ...this.options, onAccept }).pipe(
      Scope.provide(spell.scope),
      Effect.map((listener) => {
        spell.listeners.push(listener)
        const bound = listener.endpoint
        return isTls && bound._tag === "Tcp" ? Endpoint.tlsUnsafe(bound.host, bound.port) : bound
      })
    )
  }

  /** Closes the scopes of former times of which nobody is left. */
  private letGo(open: ReadonlyArray<number> | undefined): Effect.Effect<void> {
    if (open === undefined) return Effect.void
    const isUsed = ({ firstId, lastId }: Spell) => open.some((id) => id >= firstId && id <= lastId)
    const gone = this.past.filter((spell) => !isUsed(spell))
    this.past = this.past.filter(isUsed)
    return Effect.forEach(gone, ({ scope }) => Scope.close(scope, Exit.void), { discard: true })
  }
}

const keep = (wanted: Endpoint.Endpoint, bound: Endpoint.Endpoint): Endpoint.Endpoint =>
  wanted._tag === "Descriptor" ? wanted : bound

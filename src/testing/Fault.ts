/**
 * What can go wrong on a simulated network, as plain data: a plan is an array of faults, and it shrinks as data does.
 *
 * A fault comes at a virtual time (`at`, in milliseconds since the network was made; left out, at once), or when a
 * direction of a connection has carried so many bytes (`atByte`). One that lasts ends by itself after `forMillis`, or
 * when it is repaired; so each fault can be taken out of a plan without breaking the others.
 *
 * ```ts
 * import { Fault } from "hawser/testing"
 *
 * const plan: Fault.Plan = [
 *   Fault.partition("client", "server", { at: 1000, forMillis: 5000 }),
 *   Fault.reset("server", "client", { atByte: 4096 }),
 *   { _tag: "Crash", host: "server", at: 20_000, peers: "silent", restartAfterMillis: 3000 }
 * ]
 * console.log(plan.length)
 * ```
 *
 * Hosts are named; `"*"` is every host there is at that moment. `from` and `to` are a direction: where the bytes come
 * from, and where they go.
 *
 * **Gotchas**: a fault for a connection that does not come, or a byte that is never sent, never happens. Look at
 * `SimulatedNetwork.counts` to know that it did.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Formatter from "effect/Formatter"
import * as Schema from "effect/Schema"
import * as SimulatedLink from "./SimulatedLink.ts"

const Millis = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))
const Name = Schema.NonEmptyString

/** When it comes. */
const when = { at: Schema.optionalKey(Millis) }
/** When it comes, and how long it lasts; for ever, where that is left out. */
const lasting = { ...when, forMillis: Schema.optionalKey(Millis) }
/** The bytes that go from one host to another, and the other way too unless it says `oneWay`. */
const between = { from: Name, to: Name, direction: Schema.optionalKey(Schema.Literals(["both", "oneWay"])) }
/** A direction of the connections between two hosts; of the n-th that they made, from 1, or of each. */
const stream = { from: Name, to: Name, connection: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))) }
/** One port of a host, or all. */
const place = { host: Name, port: Schema.optionalKey(Port) }

/**
 * One thing that goes wrong, or is put right.
 *
 * **Details**
 *
 * - `Partition`: nothing passes. Bytes under way are kept and go on when it is repaired, as TCP's retransmission has it
 *   (`connections: "freeze"`, the default), or the connections between the two are reset. New ones get no answer
 *   (`dials: "drop"`, the default), or hear at once that there is no way.
 * - `Repair`: takes away every partition and stall between the two.
 * - `Stall`: bytes are held back, the ends of connections too; dials are answered.
 * - `Reset`: both ends are reset, when the direction has delivered `atByte` bytes; or what `seenAs: "end"` makes of it:
 *   its reader sees a peaceful end there, and whoever writes sees a reset.
 * - `Corrupt`: the byte at place `atByte` of the direction is changed by `xor` (1 to 255).
 * - `SetLink`: other settings, for what is sent from then on.
 * - `Crash`: every socket and listener of the host is gone. `peers: "reset"` (the default): the machine is still there
 *   and tells them at once, new dials are refused. `"silent"`: the power is gone; peers hear nothing until the host is
 *   up again and answers what they send with a reset.
 * - `Restart`: the host is up again, with no socket open.
 * - `Refuse`: dials are refused. `BlackHole`: dials get no answer.
 * - `HoldAccepts`: connections wait in the backlog, as when a program is busy; then they are accepted in one burst.
 *   `Accept` takes these three away.
 * - `Exhaust`: the host may hold no more than `descriptors` open sockets and listeners.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Union([
  Schema.TaggedStruct("Partition", {
    ...between,
    ...lasting,
    connections: Schema.optionalKey(Schema.Literals(["freeze", "reset"])),
    dials: Schema.optionalKey(Schema.Literals(["drop", "reject"]))
  }),
  Schema.TaggedStruct("Repair", { ...between, ...when }),
  Schema.TaggedStruct("Stall", { from: Name, to: Name, ...lasting }),
  Schema.TaggedStruct("Reset", {
    ...stream,
    ...when,
    atByte: Schema.optionalKey(Count),
    seenAs: Schema.optionalKey(Schema.Literals(["reset", "end"]))
  }),
  Schema.TaggedStruct("Corrupt", {
    ...stream,
    atByte: Count,
    xor: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 255 }))
  }),
  Schema.TaggedStruct("SetLink", { ...between, ...lasting, settings: SimulatedLink.Settings }),
  Schema.TaggedStruct("Crash", {
    host: Name,
    ...when,
    peers: Schema.optionalKey(Schema.Literals(["reset", "silent"])),
    restartAfterMillis: Schema.optionalKey(Millis)
  }),
  Schema.TaggedStruct("Restart", { host: Name, ...when }),
  Schema.TaggedStruct("Refuse", { ...place, ...lasting }),
  Schema.TaggedStruct("BlackHole", { ...place, ...lasting }),
  Schema.TaggedStruct("Accept", { ...place, ...when }),
  Schema.TaggedStruct("HoldAccepts", { ...place, ...lasting }),
  Schema.TaggedStruct("Exhaust", { host: Name, ...lasting, descriptors: Count })
]).annotate({ identifier: "Fault" })

/** One thing that goes wrong, or is put right. @category models @since 0.1.0 */
export type Fault = typeof Fault.Type

/** The kinds of faults. @category models @since 0.1.0 */
export type Tag = Fault["_tag"]

/** The fault of a kind. @category models @since 0.1.0 */
export type Of<T extends Tag> = Extract<Fault, { readonly _tag: T }>

/** Faults, in any order. @category schemas @since 0.1.0 */
export const Plan = Schema.Array(Fault)

/** Faults, in any order. @category models @since 0.1.0 */
export type Plan = typeof Plan.Type

/**
 * A fault that cannot be: `rule` says why.
 *
 * @category errors
 * @since 0.1.0
 */
export class FaultError extends Data.TaggedError("FaultError")<{
  readonly fault: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `fault ${Formatter.format(this.fault)}: ${this.rule}`
  }
}

/** What else may be said of a kind of fault. @category options @since 0.1.0 */
export type Options<T extends Tag, Said extends string> = Omit<Of<T>, "_tag" | Said>

/** Nothing passes between two hosts. @category constructors @since 0.1.0 */
export const partition = (
  from: string,
  to: string,
  options?: Options<"Partition", "from" | "to">
): Of<"Partition"> => ({
  _tag: "Partition",
  from,
  to,
  ...options
})

/** Two hosts reach each other again. @category constructors @since 0.1.0 */
export const repair = (from: string, to: string, options?: Options<"Repair", "from" | "to">): Of<"Repair"> => ({
  _tag: "Repair",
  from,
  to,
  ...options
})

/** The bytes from one host to another are held back. @category constructors @since 0.1.0 */
export const stall = (from: string, to: string, options?: Options<"Stall", "from" | "to">): Of<"Stall"> => ({
  _tag: "Stall",
  from,
  to,
  ...options
})

/** Connections are reset, at a time or at a byte. @category constructors @since 0.1.0 */
export const reset = (from: string, to: string, options?: Options<"Reset", "from" | "to">): Of<"Reset"> => ({
  _tag: "Reset",
  from,
  to,
  ...options
})

/** A byte arrives changed; by default its lowest bit. @category constructors @since 0.1.0 */
export const corrupt = (
  from: string,
  to: string,
  atByte: number,
  options?: Partial<Options<"Corrupt", "from" | "to" | "atByte">>
): Of<"Corrupt"> => ({ _tag: "Corrupt", from, to, atByte, xor: 1, ...options })

/** Another link. @category constructors @since 0.1.0 */
export const setLink = (
  from: string,
  to: string,
  settings: SimulatedLink.Settings,
  options?: Options<"SetLink", "from" | "to" | "settings">
): Of<"SetLink"> => ({ _tag: "SetLink", from, to, settings, ...options })

/** A host goes down. @category constructors @since 0.1.0 */
export const crash = (host: string, options?: Options<"Crash", "host">): Of<"Crash"> => ({
  _tag: "Crash",
  host,
  ...options
})

/** A host is up again. @category constructors @since 0.1.0 */
export const restart = (host: string, options?: Options<"Restart", "host">): Of<"Restart"> => ({
  _tag: "Restart",
  host,
  ...options
})

/** Dials to a host are refused. @category constructors @since 0.1.0 */
export const refuse = (host: string, options?: Options<"Refuse", "host">): Of<"Refuse"> => ({
  _tag: "Refuse",
  host,
  ...options
})

/** Dials to a host get no answer. @category constructors @since 0.1.0 */
export const blackHole = (host: string, options?: Options<"BlackHole", "host">): Of<"BlackHole"> => ({
  _tag: "BlackHole",
  host,
  ...options
})

/** Dials to a host are answered again. @category constructors @since 0.1.0 */
export const accept = (host: string, options?: Options<"Accept", "host">): Of<"Accept"> => ({
  _tag: "Accept",
  host,
  ...options
})

/** A host accepts nothing for a while, and then all at once. @category constructors @since 0.1.0 */
export const holdAccepts = (host: string, options?: Options<"HoldAccepts", "host">): Of<"HoldAccepts"> => ({
  _tag: "HoldAccepts",
  host,
  ...options
})

/** A host runs out of descriptors. @category constructors @since 0.1.0 */
export const exhaust = (
  host: string,
  descriptors: number,
  options?: Options<"Exhaust", "host" | "descriptors">
): Of<"Exhaust"> => ({ _tag: "Exhaust", host, descriptors, ...options })

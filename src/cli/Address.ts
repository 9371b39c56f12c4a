/**
 * Which endpoints were meant: by `--host` and `--port`, by whole endpoints, or by descriptors that were handed over.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Result from "effect/Result"
import * as Endpoint from "../Endpoint.ts"
import * as Environment from "./Environment.ts"
import * as Failure from "./Failure.ts"
import * as Flags from "./Flags.ts"
import type * as Setting from "./Setting.ts"
import * as Usage from "./Usage.ts"

/** What was given of `--host` and `--port`. @category models @since 0.1.0 */
export interface HostAndPort {
  readonly host: Setting.Given<string> | undefined
  readonly port: Setting.Given<number> | undefined
}

const excludes = (one: string, other: string): Failure.Failure =>
  Failure.local(`${one} and ${other} exclude each other`, "give one of them")

const parse = (text: string): Effect.Effect<Endpoint.Endpoint, Failure.Failure> =>
  Effect.mapError(Effect.fromResult(Endpoint.fromString(text)), Failure.fromEndpoint)

const ofHostAndPort = Effect.fnUntraced(function*(given: HostAndPort, isSecure: boolean, forListening: boolean) {
  const { from, value: host } = given.host ?? { from: "--host", value: Flags.defaults.host }
  // The tutorial's bind('') is every interface.
  const known = host === "" && forListening ? "*" : host
  if (known === "") return yield* Usage.invalid(from, "an address or a name", host)
  const make: (host: string, port: number) => Result.Result<Endpoint.Endpoint, Endpoint.EndpointError> = isSecure
    ? Endpoint.tls
    : Endpoint.tcp
  const endpoint = make(known, given.port?.value ?? Flags.defaults.port)
  return yield* Effect.mapError(Effect.fromResult(endpoint), ({ rule }) => Failure.local(`${from}: ${rule}`))
})

/** Where to connect; `isSecure` makes a host and a port one of TLS. @category conversions @since 0.1.0 */
export const toConnect = (
  given: HostAndPort & { readonly connect: Setting.Given<string> | undefined },
  isSecure: boolean
): Effect.Effect<Endpoint.Endpoint, Failure.Failure> => {
  if (given.connect === undefined) return ofHostAndPort(given, isSecure, false)
  const other = given.host ?? given.port
  return other === undefined ? parse(given.connect.value) : Effect.fail(excludes(given.connect.from, other.from))
}

/** What says where to listen. @category models @since 0.1.0 */
export interface Listening extends HostAndPort {
  readonly listen: Setting.Given<ReadonlyArray<string>> | undefined
  readonly fd: Setting.Given<ReadonlyArray<number>> | undefined
}

/** Where to listen, and what said so. @category models @since 0.1.0 */
export interface Places {
  readonly endpoints: readonly [Endpoint.Endpoint, ...ReadonlyArray<Endpoint.Endpoint>]
  readonly from: string
}

/** The descriptors below this one are the standard streams. */
const firstDescriptor = 3

/**
 * How many descriptors a service manager handed over (sd_listen_fds(3)): none where they are another process's.
 *
 * @category reading
 * @since 0.1.0
 */
const handedOver = Effect.fnUntraced(function*(processId: number): Effect.fn.Return<number, Failure.Failure> {
  const count = yield* Environment.text("LISTEN_FDS")
  const owner = yield* Environment.text("LISTEN_PID")
  if (count === undefined || owner !== String(processId)) return 0
  if (!/^[1-9]\d{0,3}$/.test(count)) return yield* Usage.invalid("LISTEN_FDS", "a number of descriptors", count)
  return Number(count)
})

/**
 * Where to listen; `isSecure` makes a host and a port one of TLS, and so descriptors that come without `--listen`.
 *
 * **Details**: where nothing is said, the descriptors of a service manager are taken. A descriptor that was asked for must
 * be among them, if there is a service manager that counts them.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toListen = Effect.fnUntraced(function*(
  given: Listening,
  isSecure: boolean,
  processId: number
): Effect.fn.Return<Places, Failure.Failure> {
  const whole = given.listen ?? given.fd
  const part = given.host ?? given.port
  if (whole !== undefined && part !== undefined) return yield* excludes(whole.from, part.from)
  const handed = yield* handedOver(processId)
  const end = firstDescriptor + handed
  for (const fd of given.fd?.value ?? []) {
    if (handed > 0 && fd >= end) {
      const rule = `one of the ${handed} that LISTEN_FDS counts from ${firstDescriptor}`
      return yield* Usage.invalid(given.fd?.from ?? "--fd", rule, String(fd))
    }
  }
  const fds = whole === undefined && part === undefined
    ? Array.from({ length: handed }, (_, n) => firstDescriptor + n)
    : given.fd?.value ?? []
  const security = isSecure && given.listen === undefined ? "tls" : "plain"
  const [first, ...others] = [
    ...yield* Effect.forEach(given.listen?.value ?? [], parse),
    ...yield* Effect.forEach(
      fds,
      (fd) => Effect.mapError(Effect.fromResult(Endpoint.descriptor(fd, security)), Failure.fromEndpoint)
    )
  ]
  if (first === undefined) {
    return { endpoints: [yield* ofHostAndPort(given, isSecure, true)], from: part?.from ?? "default" }
  }
  const named = (endpoint: Endpoint.Endpoint) => !("port" in endpoint && endpoint.port === 0)
  const twice = others.find((one, at) =>
    named(one) && [first, ...others.slice(0, at)].some((each) => Equal.equals(each, one))
  )
  if (twice !== undefined) return yield* Failure.local(`${Endpoint.format(twice)} is listened on twice`)
  const from = [given.listen?.from, given.fd?.from].filter((each) => each !== undefined).join(", ")
  return { endpoints: [first, ...others], from: from === "" ? "LISTEN_FDS" : from }
})

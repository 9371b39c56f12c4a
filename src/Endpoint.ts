/**
 * Where to dial or listen: a host and port, a Unix socket, or a name inside this process.
 *
 * An endpoint is an immutable value that owns nothing. It is checked once, when it is made, and holds `effect/net`
 * hosts. Its tag chooses the transport. It looks no name up and does not know whether anybody listens.
 *
 * ```
 * tcp://127.0.0.1:12345   tcp://[fe80::1%eth0]:80   tcp://localhost:80   the same with tls://
 * tcp://*:12345           every interface, both families: Python's bind(('', 12345)); port 0 lets the system choose
 * unix:/run/x.sock        a file; unix:@name is a Linux abstract name (the file "@name" is unix:./@name)
 * memory:name             in process;  fd:3 is a listening socket that the process was given, tls:fd:3 one with TLS
 * ```
 *
 * **Laws**: `fromString(format(x))` equals `x`; equal endpoints have one spelling. The unnamed Unix peer is spelled
 * `unix:`, which `fromString` refuses.
 *
 * **Gotchas**: nothing is percent-decoded. `tcp://[::ffff:1.2.3.4]:80` and `tcp://1.2.3.4:80` are not equal; what
 * `fromNativeUnsafe` makes is always the second.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Inspectable from "effect/Inspectable"
import * as Host from "effect/net/Host"
import * as NetAddress from "effect/net/NetAddress"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Text from "./internal/endpointText.ts"

const TypeId = "~hawser/Endpoint"

interface Proto extends Equal.Equal, Inspectable.Inspectable {
  readonly [TypeId]: typeof TypeId
}

interface Inet<Tag> extends Proto {
  readonly _tag: Tag
  readonly host: Host.Host | "*"
  readonly port: number
}

/** A host and port over TCP; the host `"*"` is every interface. @category models @since 0.1.0 */
export interface Tcp extends Inet<"Tcp"> {}

/** A host and port over TLS; the host `"*"` is every interface. @category models @since 0.1.0 */
export interface Tls extends Inet<"Tls"> {}

/** A Unix socket: a path, `@` and an abstract name, or empty for an unnamed peer. @category models @since 0.1.0 */
export interface Unix extends Proto {
  readonly _tag: "Unix"
  readonly path: string
}

/** A name that the in-process transport knows. @category models @since 0.1.0 */
export interface Memory extends Proto {
  readonly _tag: "Memory"
  readonly name: string
}

/** A listening socket that the process was given, by its descriptor, and what is spoken there. @category models @since 0.1.0 */
export interface Descriptor extends Proto {
  readonly _tag: "Descriptor"
  readonly fd: number
  readonly security: "plain" | "tls"
}

/** Where to dial or listen. @category models @since 0.1.0 */
export type Endpoint = Tcp | Tls | Unix | Memory | Descriptor

/** An endpoint, or a string for `fromString`. @category models @since 0.1.0 */
export type Input = Endpoint | string

/** A text that is no endpoint; `rule` says what was expected or what to write. @category errors @since 0.1.0 */
export class EndpointError extends Data.TaggedError("EndpointError")<{
  readonly input: string
  readonly rule: string
}> {
  override readonly message = `endpoint ${JSON.stringify(this.input)}: ${this.rule}`
}

const fail = (input: string, rule: string): Result.Result<never, EndpointError> =>
  Result.fail(new EndpointError({ input, rule }))

function formatThis(this: Endpoint): string {
  return format(this)
}

const EndpointProto = {
  ...Inspectable.BaseProto,
  [TypeId]: TypeId,
  [Equal.symbol](this: Endpoint, that: unknown): boolean {
    return isEndpoint(that) && format(this) === format(that)
  },
  [Hash.symbol](this: Endpoint): number {
    return Hash.string(format(this))
  },
  toString: formatThis,
  toJSON: formatThis
}

// Object.create is untyped: the prototype is Proto, and the fields, which are checked, are the rest of E.
const make = <E extends Proto>(fields: Omit<E, keyof Proto>): E =>
  Object.freeze(Object.assign(Object.create(EndpointProto), fields))

const makeInet = <Tag extends "Tcp" | "Tls">(tag: Tag, host: Host.HostInput, port: number, text?: string) => {
  const input = text ?? `${tag.toLowerCase()}://${String(host)}:${port}`
  if (!Text.isPort(port)) return fail(input, Text.portRule(port))
  if (host === "*") return Result.succeed(make<Inet<Tag>>({ _tag: tag, host, port }))
  if (host === "") return fail(input, "host must not be empty, write * for all interfaces")
  const parsed = Host.hostFromInput(host)
  if (Result.isSuccess(parsed)) return Result.succeed(make<Inet<Tag>>({ _tag: tag, host: parsed.success, port }))
  // Effect judges 1.2.3.999 as a domain name; what is wrong with it as an address helps more.
  const asAddress = typeof host === "string" && /^[\d.]+$/.test(host) ? NetAddress.ipFromString(host) : parsed
  const why = Result.isFailure(asAddress) ? asAddress.failure.message : parsed.failure.message
  return fail(input, `host must be an IP address, a name or *, got ${String(host)} (${why})`)
}

/** Makes a TCP endpoint; the host `"*"` is every interface. @category constructors @since 0.1.0 */
export const tcp = (host: Host.HostInput, port: number): Result.Result<Tcp, EndpointError> =>
  makeInet("Tcp", host, port)

/** Makes a TCP endpoint from trusted parts; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const tcpUnsafe = (host: Host.HostInput, port: number): Tcp => Result.getOrThrow(tcp(host, port))

/** Makes a TLS endpoint; the host `"*"` is every interface. @category constructors @since 0.1.0 */
export const tls = (host: Host.HostInput, port: number): Result.Result<Tls, EndpointError> =>
  makeInet("Tls", host, port)

/** Makes a TLS endpoint from trusted parts; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const tlsUnsafe = (host: Host.HostInput, port: number): Tls => Result.getOrThrow(tls(host, port))

/**
 * Makes a Unix endpoint from a path, an abstract name, or the empty path of an unnamed peer.
 *
 * **Details**: a leading NUL, the kernel's and Node's mark of an abstract name, is read as `@`, and several leading
 * slashes as one. Refused are an empty abstract name, a NUL inside, and more than 107 bytes of UTF-8 (unix(7)).
 *
 * @category constructors
 * @since 0.1.0
 */
export const unix = (path: string): Result.Result<Unix, EndpointError> => {
  const canonical = path.replace(/^\0/, "@").replace(/^\/+/, "/")
  const problem = Text.unixProblem(canonical)
  if (problem !== undefined) return fail(`unix:${path}`, problem)
  return Result.succeed(make<Unix>({ _tag: "Unix", path: canonical }))
}

/** Makes a Unix endpoint from a trusted path; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const unixUnsafe = (path: string): Unix => Result.getOrThrow(unix(path))

/** Makes a memory endpoint; its name is not empty and does not begin with `/`. @category constructors @since 0.1.0 */
export const memory = (name: string): Result.Result<Memory, EndpointError> =>
  /^[^/]/.test(name)
    ? Result.succeed(make<Memory>({ _tag: "Memory", name }))
    : fail(`memory:${name}`, `name must not be empty or begin with /, write memory:NAME`)

/** Makes a memory endpoint from a trusted name; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const memoryUnsafe = (name: string): Memory => Result.getOrThrow(memory(name))

/** Makes the endpoint of an inherited descriptor, from 3 on: below are the standard streams. @category constructors @since 0.1.0 */
export const descriptor = (
  fd: number,
  security: Descriptor["security"] = "plain"
): Result.Result<Descriptor, EndpointError> =>
  Text.isDescriptor(fd)
    ? Result.succeed(make({ _tag: "Descriptor", fd, security }))
    : fail(`fd:${fd}`, Text.descriptorRule(fd))

/** Makes the endpoint of a trusted descriptor; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const descriptorUnsafe = (...parts: Parameters<typeof descriptor>): Descriptor =>
  Result.getOrThrow(descriptor(...parts))

/**
 * Makes the endpoint of a peer or of a bound socket from what Node calls its address and port.
 *
 * **Details**: an IPv4 peer of a socket for both families arrives as `::ffff:1.2.3.4` and becomes `1.2.3.4`, so that a
 * rule about the address holds for it. No lookup, 1 to 3 µs: call it when somebody asks, not for each accept.
 *
 * @category unsafe
 * @since 0.1.0
 */
export const fromNativeUnsafe = (tag: "Tcp" | "Tls", address: string, port: number): Tcp | Tls => {
  const host = Host.hostFromStringUnsafe(address)
  return Result.getOrThrow(makeInet(tag, NetAddress.isIpAddress(host) ? NetAddress.toCanonical(host) : host, port))
}

const parseInet = <Tag extends "Tcp" | "Tls">(tag: Tag, afterColon: string, input: string) => {
  const scheme = tag.toLowerCase()
  if (!afterColon.startsWith("//")) {
    return fail(input, `two slashes are missing, write ${scheme}://${afterColon.replace(/^\//, "") || "HOST:PORT"}`)
  }
  const text = afterColon.slice(2)
  const [, ipv6, name = "", port = "", rest = ""] = Text.inetPattern.exec(text) ?? []
  const write = Text.bracketed(text)
  if (write !== undefined) return fail(input, `an IPv6 address needs brackets, write ${scheme}://${write}`)
  if (/^[/?#]/.test(rest)) return fail(input, `a ${scheme} endpoint ends with its port, got ${rest} after it`)
  if (rest !== "") return fail(input, `expected HOST:PORT or [IPv6]:PORT, got ${text}`)
  if (ipv6 !== undefined && !ipv6.includes(":")) {
    return fail(input, `brackets are for IPv6 addresses, write ${scheme}://${ipv6 || "HOST"}:${port || "PORT"}`)
  }
  if (port === "") return fail(input, `port is missing, write ${scheme}://${ipv6 ? `[${ipv6}]` : name || "HOST"}:PORT`)
  if (!/^(?:0|[1-9]\d*)$/.test(port) || !Text.isPort(Number(port))) return fail(input, Text.portRule(port))
  return makeInet(tag, ipv6 ?? name, Number(port), input)
}

const parseDescriptor = (text: string, security: Descriptor["security"], input: string) =>
  Text.isDescriptor(text) ? descriptor(Number(text), security) : fail(input, Text.descriptorRule(text || "nothing"))

const tcpProblem = (text: string): string | undefined => {
  const inet = parseInet("Tcp", `//${text}`, text)
  return Result.isFailure(inet) ? inet.failure.rule : undefined
}

/** Parses an endpoint; capitals in the scheme and `unix:///path` are read too. @category decoding @since 0.1.0 */
export const fromString = (input: string): Result.Result<Endpoint, EndpointError> => {
  const colon = input.indexOf(":")
  const scheme = input.slice(0, Math.max(colon, 0)).toLowerCase()
  const rest = input.slice(colon + 1)
  switch (scheme) {
    case "tcp":
      return parseInet("Tcp", rest, input)
    case "tls":
      return /^fd:/i.test(rest) ? parseDescriptor(rest.slice(3), "tls", input) : parseInet("Tls", rest, input)
    case "unix":
      if (rest === "") return fail(input, "path must not be empty, write unix:/PATH or unix:@NAME")
      if (/^\/\/(?!\/)/.test(rest)) return fail(input, "a unix endpoint has no host, write unix:/PATH or unix:@NAME")
      return unix(rest)
    case "memory":
      return memory(rest)
    case "fd":
      return parseDescriptor(rest, "plain", input)
    default:
      return fail(input, Text.withoutScheme(input, tcpProblem))
  }
}

/** Parses a trusted endpoint; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const fromStringUnsafe = (input: string): Endpoint => Result.getOrThrow(fromString(input))

/** Converts an `Input`: parses a string, gives an endpoint back. @category constructors @since 0.1.0 */
export const fromInput = (input: Input): Result.Result<Endpoint, EndpointError> =>
  typeof input === "string" ? fromString(input) : Result.succeed(input)

/** Converts a trusted `Input`; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const fromInputUnsafe = (input: Input): Endpoint => Result.getOrThrow(fromInput(input))

/** Says whether a value is an endpoint. @category guards @since 0.1.0 */
export const isEndpoint = (u: unknown): u is Endpoint => Predicate.hasProperty(u, TypeId)

/** Says whether TLS is spoken there. @category predicates @since 0.1.0 */
export const isSecure = (self: Endpoint): boolean =>
  self._tag === "Tls" || (self._tag === "Descriptor" && self.security === "tls")

/** Writes an endpoint as `fromString` reads it; `toString` and `toJSON` do too. @category encoding @since 0.1.0 */
export const format = (self: Endpoint): string => {
  if (self._tag === "Unix") return `unix:${self.path}`
  if (self._tag === "Memory") return `memory:${self.name}`
  if (self._tag === "Descriptor") return `${self.security === "tls" ? "tls:" : ""}fd:${self.fd}`
  const host = self.host === "*" ? "*" : Host.formatHost(self.host)
  return `${self._tag.toLowerCase()}://${host.includes(":") ? `[${host}]` : host}:${self.port}`
}

/** The same TCP or TLS endpoint with another port; fails for the others. @category combinators @since 0.1.0 */
export const withPort = (self: Endpoint, port: number): Result.Result<Endpoint, EndpointError> => {
  if (self._tag === "Tcp" || self._tag === "Tls") return makeInet(self._tag, self.host, port)
  return fail(format(self), `a ${self._tag.toLowerCase()} endpoint has no port`)
}

/** The same endpoint with a trusted port; throws `EndpointError`. @category unsafe @since 0.1.0 */
export const withPortUnsafe = (self: Endpoint, port: number): Endpoint => Result.getOrThrow(withPort(self, port))

/** Schema for endpoint values. @category schemas @since 0.1.0 */
export const Endpoint: Schema.declare<Endpoint> = Schema.declare(isEndpoint, { identifier: "Endpoint" })

/** Schema for endpoints encoded as strings. @category schemas @since 0.1.0 */
export const EndpointFromString: Schema.decodeTo<typeof Endpoint, Schema.String> = Schema.String.pipe(
  Schema.decodeTo(
    Endpoint,
    SchemaTransformation.transformEffect({
      decode: (input, options) =>
        Effect.mapError(
          Effect.fromResult(fromString(input)),
          ({ message }) => new SchemaIssue.InvalidValue({ message }, input, options)
        ),
      encode: (endpoint) => Effect.succeed(format(endpoint))
    })
  )
).annotate({ identifier: "EndpointFromString" })

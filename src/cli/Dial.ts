/**
 * How `talk` and `connect` reach the other end: in plain text or by TLS, with a PROXY header first or without.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Connection from "../Connection.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Tls from "../Tls.ts"
import type { DialSettings } from "./dialSettings.ts"
import * as Failure from "./Failure.ts"
import type * as Setting from "./Setting.ts"
import * as SystemCode from "./SystemCode.ts"
import * as TlsFiles from "./TlsFiles.ts"

/** The options of a connection that the settings ask for. @category models @since 0.1.0 */
export interface Options extends Pick<Connection.Options, "tls" | "proxy"> {}

const isOn = (toggle: Setting.Given<boolean> | undefined): boolean => toggle?.value === true

/** The first setting that is about TLS. */
const firstOfTls = (given: DialSettings): Setting.Given<unknown> | undefined =>
  given.tlsCa ?? given.tlsCert ?? given.tlsKey ?? given.servername ??
    (isOn(given.insecure) ? given.insecure : undefined) ??
    given.alpn

/** Whether TLS was asked for by more than the endpoint. @category predicates @since 0.1.0 */
export const asksForTls = (given: DialSettings): boolean => firstOfTls(given) !== undefined

const naming = (given: DialSettings): TlsFiles.Naming => [
  [/\bcertificate\.certificate\b/g, () => TlsFiles.nameOf(given.tlsCert, 0)],
  [/\bcertificate\.key\b/g, () => TlsFiles.nameOf(given.tlsKey, 0)],
  [/\bca\[(\d+)\]/g, (index) => TlsFiles.nameOf(given.tlsCa, index)],
  [/^servername\b/g, () => given.servername?.from ?? "--servername"],
  [/^alpn\[\d+\]/g, () => given.alpn?.from ?? "--alpn"]
]

/** An option that TLS cannot work with. @category constructors @since 0.1.0 */
export const fromOptions = (given: DialSettings) => (error: Tls.TlsOptionsError): Failure.Failure =>
  TlsFiles.fromOptions(error, naming(given))

const read = (from: string, file: string): Effect.Effect<string, Failure.Failure, FileSystem.FileSystem> =>
  FileSystem.FileSystem.use((fs) =>
    Effect.mapError(
      fs.readFileString(file),
      (error) => TlsFiles.unreadable(`${from} ${file}`, SystemCode.fromPlatform(error))
    )
  )

const pair = Effect.fnUntraced(function*({ tlsCert, tlsKey }: DialSettings) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined) return yield* Failure.local(`${tlsKey?.from} needs --tls-cert`)
  if (tlsKey === undefined) return yield* Failure.local(`${tlsCert.from} needs --tls-key`)
  return { certificate: yield* read(tlsCert.from, tlsCert.value), key: yield* read(tlsKey.from, tlsKey.value) }
})

const authorities = Effect.fnUntraced(function*({ tlsCa }: DialSettings) {
  if (tlsCa === undefined) return undefined
  const { from, value } = tlsCa
  if (!value.includes("system")) return yield* Effect.forEach(value, (file) => read(from, file))
  if (value.length === 1) return "system"
  return yield* Failure.local(
    `${from} system and ${from} ${value.find((file) => file !== "system")} exclude each other`
  )
})

/** The options for an endpoint, whose handshake may take some time; warns where anybody may be at the other end. @category conversions @since 0.1.0 */
export const toOptions = Effect.fnUntraced(function*(
  given: DialSettings,
  endpoint: Endpoint.Endpoint,
  handshakeTimeout: Duration.Duration
): Effect.fn.Return<Options, Failure.Failure, FileSystem.FileSystem> {
  const proxy = given.sendProxy === undefined ? {} : { proxy: given.sendProxy.value === "1" ? 1 : 2 } as const
  const first = firstOfTls(given)
  if (first === undefined) return endpoint._tag === "Tls" ? { ...proxy, tls: { handshakeTimeout } } : proxy
  if (endpoint._tag === "Tcp") {
    const write = Endpoint.format(Endpoint.tlsUnsafe(endpoint.host, endpoint.port))
    return yield* Failure.local(`${first.from} is for TLS, and ${Endpoint.format(endpoint)} is not`, `write ${write}`)
  }
  const insecure = isOn(given.insecure) ? given.insecure : undefined
  if (insecure !== undefined && given.tlsCa !== undefined) {
    return yield* Failure.local(`${insecure.from} and ${given.tlsCa.from} exclude each other`, "give one of them")
  }
  const certificate = yield* pair(given)
  const ca = yield* authorities(given)
  if (insecure !== undefined) {
    yield* Console.error(
      `hawser: warning: ${insecure.from}: anybody may be at the other end, the certificate is not looked at`
    )
  }
  return {
    ...proxy,
    tls: {
      handshakeTimeout,
      ...(certificate === undefined ? {} : { certificate }),
      ...(ca === undefined ? {} : { ca }),
      ...(insecure === undefined ? {} : { verify: "insecure" }),
      servername: given.servername?.value,
      alpn: given.alpn?.value
    }
  }
})

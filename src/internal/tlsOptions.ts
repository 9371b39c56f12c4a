/**
 * The rules of TLS options that need no look into a certificate; the first broken one is the error.
 */
import * as Host from "effect/net/Host"
import * as Result from "effect/Result"
import * as Tls from "../Tls.ts"

const broken = (option: string, rule: string, got: string): Tls.TlsOptionsError =>
  new Tls.TlsOptionsError({ option, rule, got })

const count = (list: ReadonlyArray<unknown>): string => list.length === 0 ? "an empty list" : `${list.length} of them`

const encoder = new TextEncoder()

/** What holds for both sides. */
const common = (options: Tls.ClientOptions | Tls.ServerOptions): Tls.TlsOptionsError | undefined => {
  const { alpn, maxVersion = Tls.defaults.maxVersion, minVersion = Tls.defaults.minVersion } = options
  for (const [option, value] of [["minVersion", minVersion], ["maxVersion", maxVersion]] as const) {
    // A program may read it from somewhere.
    if (value !== "TLSv1.2" && value !== "TLSv1.3") return broken(option, "TLSv1.2 or TLSv1.3", String(value))
  }
  if (minVersion > maxVersion) return broken("minVersion", `at most maxVersion, which is ${maxVersion}`, minVersion)
  if (alpn === undefined) return undefined
  if (alpn.length === 0) return broken("alpn", "absent or a list with at least one protocol", count(alpn))
  const bad = alpn.findIndex((name) => name === "" || encoder.encode(name).length > 255)
  return bad < 0
    ? undefined
    : broken(`alpn[${bad}]`, "of 1 to 255 bytes (RFC 7301, 3.1)", `${encoder.encode(alpn[bad]).length} bytes`)
}

/** What is wrong with a server's options. */
export const ofServer = (options: Tls.ServerOptions): Tls.TlsOptionsError | undefined => {
  const { certificates, clientCa, clientCertificate = Tls.defaults.clientCertificate } = options
  if (certificates.length === 0) return broken("certificates", "a list with at least one certificate", "an empty list")
  if (clientCertificate === "none" && clientCa !== undefined) {
    return broken("clientCa", "absent while clientCertificate is none", count(clientCa))
  }
  if (clientCertificate !== "none" && (clientCa === undefined || clientCa.length === 0)) {
    const rule = `a list with at least one certificate, because clientCertificate is ${clientCertificate}`
    return broken("clientCa", rule, clientCa === undefined ? "nothing" : "an empty list")
  }
  return common(options)
}

/** What is wrong with a client's options. */
export const ofClient = (options: Tls.ClientOptions): Tls.TlsOptionsError | undefined => {
  const { ca, servername, verify } = options
  if (verify === "insecure" && ca !== undefined) {
    return broken("ca", "absent while verify is insecure", typeof ca === "string" ? ca : count(ca))
  }
  if (typeof ca === "object" && ca.length === 0) {
    return broken("ca", "default, system or a list with at least one certificate", "an empty list")
  }
  if (servername !== undefined && Result.isFailure(Host.hostFromString(servername))) {
    return broken("servername", "a host name or an address", JSON.stringify(servername))
  }
  return common(options)
}

/** A client that checks names must know one. */
export const needsName = (options: Tls.ClientOptions, host: string | undefined): Tls.TlsOptionsError | undefined =>
  options.verify === "insecure" || (options.servername ?? host) !== undefined
    ? undefined
    : broken("servername", "given where the endpoint has no host name", "nothing")

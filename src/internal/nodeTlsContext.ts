/**
 * TLS options become Node's contexts: every certificate and key is read, and fits, before the first handshake.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"
import * as NodeTls from "node:tls"
import * as Tls from "../Tls.ts"
import * as tlsOptions from "./tlsOptions.ts"

/** Certificates for some names. */
interface Named {
  readonly leaf: Crypto.X509Certificate
  readonly context: NodeTls.SecureContext
}

/** What a handshake of a server needs. */
export interface Loaded {
  readonly certificates: ReadonlyArray<Tls.CertificateInfo>
  readonly notices: ReadonlyArray<string>
  readonly named: ReadonlyArray<Named>
  readonly clientCertificate: "none" | "request" | "require"
  readonly alpn: Array<string> | undefined
}

export class ServerContext implements Tls.ServerContext {
  loaded: Loaded

  constructor(loaded: Loaded) {
    this.loaded = loaded
  }
  get certificates(): ReadonlyArray<Tls.CertificateInfo> {
    return this.loaded.certificates
  }
  get notices(): ReadonlyArray<string> {
    return this.loaded.notices
  }
  readonly reload = (options: Tls.ServerOptions): Effect.Effect<void, Tls.TlsOptionsError> =>
    Effect.map(loadServer(options), (loaded) => {
      this.loaded = loaded
    })
}

export class ClientContext implements Tls.ClientContext {
  readonly servername: string | undefined
  readonly alpn: Array<string> | undefined
  readonly insecure: boolean
  readonly context: NodeTls.SecureContext
  readonly notices: ReadonlyArray<string>

  /** Keeps no options: whoever prints a context must not see a key. */
  constructor(options: Tls.ClientOptions, context: NodeTls.SecureContext, notices: ReadonlyArray<string>) {
    this.servername = options.servername
    this.alpn = options.alpn === undefined ? undefined : [...options.alpn]
    this.insecure = options.verify === "insecure"
    this.context = context
    this.notices = notices
  }
}

export const infoOf = (certificate: Crypto.X509Certificate): Tls.CertificateInfo => ({
  subject: oneLine(certificate.subject),
  issuer: oneLine(certificate.issuer),
  fingerprint256: certificate.fingerprint256,
  validFrom: DateTime.makeUnsafe(certificate.validFromDate),
  validTo: DateTime.makeUnsafe(certificate.validToDate)
})

/** Node gives a line for each part of a name, the general before the particular; of a name without parts, nothing. */
const oneLine = (name: string | undefined): string => (name ?? "").split("\n").reverse().join(", ")

const broken = (option: string, rule: string, got: string, cause?: unknown): Tls.TlsOptionsError =>
  new Tls.TlsOptionsError({ option, rule, got, cause })

/** What OpenSSL says of a text; it never says the text. */
const says = (error: unknown): string => error instanceof Error ? error.message : String(error)

const block = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g

/** Reads every certificate of a text. */
const parse = Effect.fnUntraced(function*(option: string, pem: string) {
  const blocks = pem.match(block) ?? []
  const first = blocks[0]
  const rule = "certificates in PEM"
  if (first === undefined) return yield* broken(option, rule, "a text without BEGIN CERTIFICATE and END CERTIFICATE")
  const read = (text: string) =>
    Effect.try({
      try: () => new Crypto.X509Certificate(text),
      catch: (cause) => broken(option, rule, says(cause), cause)
    })
  return { leaf: yield* read(first), issuers: yield* Effect.forEach(blocks.slice(1), read) }
})

const reveal = (secret: Tls.Secret): string => Redacted.isRedacted(secret) ? Redacted.value(secret) : secret

const readKey = Effect.fnUntraced(function*(option: string, pair: Tls.KeyPair) {
  const key = reveal(pair.key)
  const passphrase = pair.passphrase === undefined ? undefined : reveal(pair.passphrase)
  const encrypted = /-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(key)
  if (encrypted && passphrase === undefined) {
    return yield* broken(`${option}.passphrase`, `given, because ${option}.key is encrypted`, "nothing")
  }
  return yield* Effect.try({
    try: () => Crypto.createPrivateKey(passphrase === undefined ? key : { key, passphrase }),
    catch: (cause) =>
      encrypted
        ? broken(`${option}.passphrase`, `the one that opens ${option}.key`, "another", cause)
        : broken(`${option}.key`, "a private key in PEM", says(cause), cause)
  })
})

/** Reads a certificate with its chain and key, which must fit each other. */
const readPair = Effect.fnUntraced(function*(option: string, pair: Tls.KeyPair) {
  const { issuers, leaf } = yield* parse(`${option}.certificate`, pair.certificate)
  let below = leaf
  for (const issuer of issuers) {
    if (!below.checkIssued(issuer)) {
      const rule = "a chain in which each certificate is issued by the next"
      return yield* broken(`${option}.certificate`, rule, `${oneLine(issuer.subject)} behind ${oneLine(below.subject)}`)
    }
    below = issuer
  }
  if (!leaf.checkPrivateKey(yield* readKey(option, pair))) {
    return yield* broken(`${option}.key`, `the key of ${option}.certificate`, "the key of another")
  }
  const info = infoOf(leaf)
  return { leaf, info, notice: noticeOf(`${option}.certificate`, info, yield* Clock.currentTimeMillis) }
})

const noticeOf = (option: string, info: Tls.CertificateInfo, now: number): string | undefined => {
  const { subject, validFrom, validTo } = info
  if (validTo.epochMilliseconds < now) return `tls.${option} (${subject}) expired on ${DateTime.formatIso(validTo)}`
  if (validFrom.epochMilliseconds <= now) return undefined
  return `tls.${option} (${subject}) is not valid before ${DateTime.formatIso(validFrom)}`
}

const readAuthorities = (option: string, list: ReadonlyArray<string>) =>
  Effect.forEach(list, (pem, i) => parse(`${option}[${i}]`, pem), { discard: true })

/** Lets OpenSSL have a last word: it refuses what is too weak for it, say. */
const createContext = (option: string, options: NodeTls.SecureContextOptions, pair: Tls.KeyPair | undefined) =>
  Effect.try({
    try: () =>
      NodeTls.createSecureContext({
        ...options,
        ...(pair === undefined ? {} : { cert: pair.certificate, key: reveal(pair.key) }),
        ...(pair?.passphrase === undefined ? {} : { passphrase: reveal(pair.passphrase) })
      }),
    catch: (cause) => broken(option, "what OpenSSL can work with", says(cause), cause)
  })

const loadServer = Effect.fnUntraced(function*(options: Tls.ServerOptions) {
  const wrong = tlsOptions.ofServer(options)
  if (wrong !== undefined) return yield* wrong
  const clientCa = options.clientCa ?? []
  yield* readAuthorities("clientCa", clientCa)
  // Contexts that answer for one server must agree about whose tickets they take.
  const ticketKeys = Crypto.randomBytes(48)
  const read = yield* Effect.forEach(options.certificates, (pair, i) =>
    Effect.gen(function*() {
      const option = `certificates[${i}]`
      const checked = yield* readPair(option, pair)
      const context = yield* createContext(option, {
        ...versions(options),
        // An empty list keeps Node from loading its roots, which have no say about clients.
        ca: [...clientCa],
        honorCipherOrder: true,
        ticketKeys,
        // OpenSSL resumes no session of a client with a certificate without one.
        sessionIdContext: "hawser",
        ...(options.sessionTickets === "off" ? { secureOptions: Crypto.constants.SSL_OP_NO_TICKET } : {})
      }, pair)
      return { ...checked, context }
    }))
  return {
    certificates: read.map(({ info }) => info),
    notices: read.flatMap(({ notice }) => notice ?? []),
    named: read,
    clientCertificate: options.clientCertificate ?? Tls.defaults.clientCertificate,
    alpn: options.alpn === undefined ? undefined : [...options.alpn]
  }
})

const versions = (options: Tls.ServerOptions | Tls.ClientOptions) => ({
  minVersion: options.minVersion ?? Tls.defaults.minVersion,
  maxVersion: options.maxVersion ?? Tls.defaults.maxVersion
})

/** Checks and loads a server's options. */
export const server = (options: Tls.ServerOptions): Effect.Effect<Tls.ServerContext, Tls.TlsOptionsError> =>
  Effect.map(loadServer(options), (loaded) => new ServerContext(loaded))

/** Checks and loads a client's options. */
export const client = Effect.fnUntraced(
  function*(options: Tls.ClientOptions): Effect.fn.Return<Tls.ClientContext, Tls.TlsOptionsError> {
    const wrong = tlsOptions.ofClient(options)
    if (wrong !== undefined) return yield* wrong
    const { ca = Tls.defaults.ca, certificate } = options
    if (typeof ca !== "string") yield* readAuthorities("ca", ca)
    const pair = certificate === undefined ? undefined : yield* readPair("certificate", certificate)
    const context = yield* createContext("*", { ...versions(options), ...authorities(ca) }, certificate)
    return new ClientContext(options, context, pair?.notice === undefined ? [] : [pair.notice])
  }
)

const authorities = (ca: ReadonlyArray<string> | "default" | "system"): NodeTls.SecureContextOptions =>
  ca === "default" ? {} : { ca: ca === "system" ? NodeTls.getCACertificates("system") : [...ca] }

/** The certificate for the name that a client asks for: exact, by wildcard, or the first. */
export const choose = (named: ReadonlyArray<Named>, servername: string | undefined): Named => {
  const first = named[0] as Named // a server has at least one
  if (servername === undefined || named.length === 1) return first
  const matching = (wildcards: boolean) =>
    named.find(({ leaf }) =>
      leaf.checkHost(servername, { subject: "never", wildcards, partialWildcards: false }) !== undefined
    )
  return matching(false) ?? matching(true) ?? first
}

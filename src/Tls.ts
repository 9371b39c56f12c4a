/**
 * TLS as hawser sees it: what may be set, what a handshake told, and what can be wrong with either.
 *
 * TLS is a stage between a raw socket and its owner: it takes a `RawSocket` of any transport, in plain text, and gives
 * one that carries the clear bytes. This file holds the options, the models and the errors; the work is an `Engine`'s,
 * which `NodeTransport` brings along. Options are checked once, when a context is made from them: a bad key or a
 * contradiction never waits for the first handshake.
 *
 * ```
 * options --Engine.server, Engine.client--> context      checked; a server's can be replaced while it runs
 * raw socket + context --accept, connect--> secure socket
 *                             `--> onSecure(info)    once, and then the clear bytes
 *                              or  onFailed(failure) once, when the socket is gone
 * ```
 *
 * A certificate is chosen by the name that the client asks for (SNI): the first one that names it exactly, else the first
 * with a wildcard for it, else the first of the list. The names are those of the certificate itself (subjectAltName).
 *
 * **Gotchas**: the end of this side is a `close_notify` followed by the end of the stream below. A peer that ends without
 * one looks the same: a framing tells a whole message from a cut one, TLS in Node does not. Many peers answer
 * `close_notify` with their own at once: a half-closed conversation needs a peer that agrees to it. In TLS 1.3
 * a client is secure before the server has looked at its certificate: one that is refused breaks the connection at the
 * first read, with the alert as its code. Private keys are never printed.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as CloseReason from "./CloseReason.ts"
import * as Transport from "./Transport.ts"

/** A text that must not be printed. @category models @since 0.1.0 */
export type Secret = string | Redacted.Redacted<string>

/** The versions that are safe to speak. @category models @since 0.1.0 */
export type Version = "TLSv1.2" | "TLSv1.3"

/** A certificate and its private key. @category options @since 0.1.0 */
export interface KeyPair {
  /** PEM: the certificate, then each that issued the one before it; the root may be left out. */
  readonly certificate: string
  /** PEM: the private key of the first certificate. */
  readonly key: Secret
  /** What opens the key, where it is encrypted. */
  readonly passphrase?: Secret | undefined
}

/** What both sides may set. */
interface CommonOptions {
  /**
   * The application protocols (RFC 7301), the best first, of 1 to 255 bytes each. A server that has none of those a client
   * offers fails the handshake; a client that offers none gets along without.
   *
   * @default none
   */
  readonly alpn?: ReadonlyArray<string> | undefined
  /** @default "TLSv1.2" */
  readonly minVersion?: Version | undefined
  /** @default "TLSv1.3" */
  readonly maxVersion?: Version | undefined
}

/**
 * How a server secures its connections. Ciphers are Node's defaults, in the server's order.
 *
 * @category options
 * @since 0.1.0
 */
export interface ServerOptions extends CommonOptions {
  /** One or more; the first one serves clients that name nobody, or a name that no certificate has. */
  readonly certificates: ReadonlyArray<KeyPair>
  /**
   * Whether clients must show a certificate. With `"request"` they may come without; one that is shown must be good.
   *
   * @default "none"
   */
  readonly clientCertificate?: "none" | "request" | "require" | undefined
  /** PEM: who may issue the clients' certificates. Needed unless `clientCertificate` is `"none"`. */
  readonly clientCa?: ReadonlyArray<string> | undefined
  /**
   * Whether clients may resume a session by a ticket. Its keys live as long as the context, and change when it is
   * reloaded.
   *
   * @default "on"
   */
  readonly sessionTickets?: "on" | "off" | undefined
}

/** How a client secures its connection. @category options @since 0.1.0 */
export interface ClientOptions extends CommonOptions {
  /**
   * Who may issue the server's certificate: PEM texts; `"default"`, the list that Node brings, with what
   * `NODE_EXTRA_CA_CERTS` and `--use-system-ca` add; or `"system"`, the operating system's list and no other.
   *
   * @default "default"
   */
  readonly ca?: ReadonlyArray<string> | "default" | "system" | undefined
  /** The client's own certificate, for a server that asks for one. */
  readonly certificate?: KeyPair | undefined
  /**
   * The name that the server's certificate must have, and that is asked for by SNI.
   *
   * @default the host of the endpoint
   */
  readonly servername?: string | undefined
  /**
   * `"insecure"` talks to anybody: the certificate's issuer, dates and name are not looked at.
   *
   * @default "full"
   */
  readonly verify?: "full" | "insecure" | undefined
}

/** What a client may set where it dials. @category options @since 0.1.0 */
export interface DialOptions extends ClientOptions {
  /**
   * How long the handshake may take.
   *
   * @default "10 seconds"
   */
  readonly handshakeTimeout?: Duration.Input | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  /** RFC 8996 took TLS 1.0 and 1.1 out of use. */
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  clientCertificate: "none",
  sessionTickets: "on",
  ca: "default",
  verify: "full",
  /** Two round trips and a signature; as long as the dial may take. */
  handshakeTimeout: "10 seconds"
} as const

/** What is told of a certificate. @category models @since 0.1.0 */
export interface CertificateInfo {
  /** `CN=localhost, O=Example` */
  readonly subject: string
  readonly issuer: string
  /** SHA-256 of the certificate, in pairs of hexadecimal digits with colons. */
  readonly fingerprint256: string
  readonly validFrom: DateTime.Utc
  readonly validTo: DateTime.Utc
}

/** What a handshake agreed on. @category models @since 0.1.0 */
export interface Info {
  /** `TLSv1.3` */
  readonly protocol: string
  /** The name in the standard: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /** The application protocol, where one was agreed. */
  readonly alpn: string | undefined
  /** The name that the client asked for. */
  readonly servername: string | undefined
  /** A session was resumed, so that no certificate was shown again. */
  readonly resumed: boolean
  /** The peer showed a certificate that is good. On a server, one that is not good never gets here. */
  readonly verified: boolean
  readonly peerCertificate: CertificateInfo | undefined
}

/**
 * Why there is no secure connection.
 *
 * `reason` is `HandshakeFailed`, or `PeerClosed` for a peer that left without a word, `PeerReset`, or `Closed` where this
 * side gave up. `code` is OpenSSL's or Node's word for it; `hint` says what to do.
 *
 * @category models
 * @since 0.1.0
 */
export interface HandshakeFailure {
  readonly reason: CloseReason.CloseReason
  readonly code: string
  readonly hint: string
}

/** Is told how a handshake ended: one of the two, once. @category models @since 0.1.0 */
export interface Handshake {
  readonly onSecure: (info: Info) => void
  /** The socket is gone. */
  readonly onFailed: (failure: HandshakeFailure) => void
}

/** A server's options, checked and loaded. @category models @since 0.1.0 */
export interface ServerContext {
  /** The certificates in use, in the order of the options. */
  readonly certificates: ReadonlyArray<CertificateInfo>
  /** What is no error and should be known: a certificate that has expired, or is not valid yet. */
  readonly notices: ReadonlyArray<string>
  /**
   * Checks and loads other options. Handshakes that begin from then on use them, open connections live on; with an error
   * nothing changes.
   */
  readonly reload: (options: ServerOptions) => Effect.Effect<void, TlsOptionsError>
}

/** A client's options, checked and loaded. @category models @since 0.1.0 */
export interface ClientContext {
  /** What is no error and should be known: the own certificate has expired, or is not valid yet. */
  readonly notices: ReadonlyArray<string>
}

/**
 * What does TLS: it makes contexts from options, and secures raw sockets with them.
 *
 * A socket that was given to `accept` or `connect` belongs to the socket that they return, which delivers nothing before
 * `onSecure`; to destroy that one gives up. They set no deadline: that is the caller's, for the whole handshake.
 *
 * @category services
 * @since 0.1.0
 */
export interface Engine {
  readonly server: (options: ServerOptions) => Effect.Effect<ServerContext, TlsOptionsError>
  readonly client: (options: ClientOptions) => Effect.Effect<ClientContext, TlsOptionsError>
  /** The server's side of a handshake. */
  readonly accept: (raw: Transport.RawSocket, context: ServerContext, handshake: Handshake) => Transport.RawSocket
  /** The client's side; `host` is whom the certificate must name, unless the options say a name. */
  readonly connect: (
    raw: Transport.RawSocket,
    context: ClientContext,
    host: string | undefined,
    handshake: Handshake
  ) => Transport.RawSocket
}

/**
 * An option that TLS cannot work with: `option` is its name, `rule` what it must be, `got` what it is, without secrets.
 *
 * @category errors
 * @since 0.1.0
 */
export class TlsOptionsError extends Data.TaggedError("TlsOptionsError")<{
  readonly option: string
  readonly rule: string
  readonly got: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `tls.${this.option} must be ${this.rule}, got ${this.got}`
  }
}

/** The engine of the transport; fails where it has none. @category services @since 0.1.0 */
export const engine: Effect.Effect<Engine, TlsOptionsError, Transport.Transport> = Effect.flatMap(
  Transport.Transport,
  ({ tls }) =>
    tls === undefined
      ? Effect.fail(
        new TlsOptionsError({ option: "*", rule: "absent with a transport that does no TLS", got: "options" })
      )
      : Effect.succeed(tls)
)

/** Checks and loads a server's options with the engine of the transport. @category constructors @since 0.1.0 */
export const makeServer = (
  options: ServerOptions
): Effect.Effect<ServerContext, TlsOptionsError, Transport.Transport> =>
  Effect.flatMap(engine, (tls) => tls.server(options))

/**
 * The two sides of a handshake: how Node starts each, what it says when it is done, and what it found of the peer.
 */
import * as Net from "node:net"
import * as NodeTls from "node:tls"
import type * as Tls from "../Tls.ts"
import type { RawDuplex } from "./nodeDuplex.ts"
import { choose, type ClientContext, infoOf, type Loaded } from "./nodeTlsContext.ts"

/** One side of a handshake. */
export interface Role {
  readonly isServer: boolean
  /** Starts it over a stream. */
  readonly start: (stream: Net.Socket | RawDuplex) => NodeTls.TLSSocket
  /** The event that says that it is done. */
  readonly secured: "secure" | "secureConnect"
  /** The last word: the peer's certificate was not good, where it had to be. */
  readonly objection: (tls: NodeTls.TLSSocket) => Error | undefined
  readonly verified: (tls: NodeTls.TLSSocket) => boolean
}

/** What a handshake that is done agreed on. */
export const infoOfHandshake = (tls: NodeTls.TLSSocket, verified: boolean): Tls.Info => {
  const certificate = tls.getPeerX509Certificate()
  return {
    protocol: tls.getProtocol() ?? "",
    cipher: tls.getCipher().standardName,
    alpn: tls.alpnProtocol || undefined,
    // A client has the name it asked for, a server the one it was asked for; without one both say false.
    servername: (tls as { readonly servername?: string | false | null }).servername || undefined,
    resumed: tls.isSessionReused(),
    verified,
    peerCertificate: certificate === undefined ? undefined : infoOf(certificate)
  }
}

/**
 * What is wrong with the certificate that a client showed. Node says it by name only to those who let its own server
 * accept; where it says nothing, no certificate is good.
 */
const verifyError = (tls: NodeTls.TLSSocket): Error | undefined => {
  const { ssl } = tls as unknown as { readonly ssl?: { readonly verifyError?: () => Error | null | undefined } | null }
  if (typeof ssl?.verifyError !== "function") return new Error("the certificate could not be verified")
  return ssl.verifyError() ?? undefined
}

export const serverRole = ({ alpn, clientCertificate, named }: Loaded): Role => {
  const required = clientCertificate === "require"
  const asks = clientCertificate !== "none"
  return {
    isServer: true,
    secured: "secure",
    start: (stream) =>
      new NodeTls.TLSSocket(stream, {
        isServer: true,
        secureContext: choose(named, undefined).context,
        SNICallback: (servername, done) => done(null, choose(named, servername).context),
        ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
        requestCert: asks,
        rejectUnauthorized: required
      }),
    objection: (tls) => {
      if (!asks || (tls.getPeerX509Certificate() === undefined && !required)) return undefined
      return verifyError(tls)
    },
    verified: (tls) => asks && tls.getPeerX509Certificate() !== undefined
  }
}

export const clientRole = ({ alpn, context, insecure, servername }: ClientContext, host: string | undefined): Role => {
  const name = servername ?? host ?? ""
  return {
    isServer: false,
    secured: "secureConnect",
    start: (stream) =>
      NodeTls.connect({
        socket: stream,
        secureContext: context,
        // RFC 6066, 3: an address is no server name. The certificate is checked for it all the same.
        ...(name === "" || Net.isIP(name) > 0 ? {} : { servername: name }),
        host: name,
        ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
        rejectUnauthorized: !insecure
      }),
    objection: () => undefined,
    verified: (tls) => tls.authorized
  }
}

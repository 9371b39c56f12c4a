/**
 * Why a handshake failed, in words for people: from the codes of OpenSSL and Node, and from what the peer sent.
 *
 * OpenSSL names an alert that came from the peer `ERR_SSL_TLSV1_ALERT_…`, `ERR_SSL_SSLV3_ALERT_…` or, from 3.2 on,
 * `ERR_SSL_SSL/TLS_ALERT_…`; what follows is the name of the alert in RFC 8446, 6.2.
 */
import * as CloseReason from "../CloseReason.ts"
import type * as Tls from "../Tls.ts"

/** What is said of a code: what happened, and what to do. */
type Words = readonly [message: string, hint: string]

const trust = "give the certificate of its issuer as ca, or have it issued by an authority that this side trusts"
const agree = "compare minVersion and maxVersion of both sides"
const ciphers = "both sides need a cipher, a curve and a kind of key in common"

const untrusted: Words = ["the peer's certificate was issued by nobody that is trusted here", trust]

const words: Record<string, Words> = {
  CERT_HAS_EXPIRED: ["the peer's certificate has expired", "the peer needs a new certificate"],
  CERT_NOT_YET_VALID: ["the peer's certificate is not valid yet", "check the clocks of both sides"],
  CERT_REVOKED: ["the peer's certificate was revoked", "the peer needs a new certificate"],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["the peer's certificate is signed by itself and not trusted here", trust],
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  INVALID_PURPOSE: ["the peer's certificate was not issued for this use", "see its extendedKeyUsage"],
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: [
    "the client showed no certificate, and one is required",
    "give the client a certificate that clientCa issued"
  ],
  ERR_SSL_UNSUPPORTED_PROTOCOL: ["the peer speaks no version of TLS that is allowed here", agree],
  ERR_SSL_VERSION_TOO_LOW: ["the peer speaks no version of TLS that is allowed here", agree],
  ERR_SSL_WRONG_SSL_VERSION: ["the peer speaks no version of TLS that is allowed here", agree],
  ERR_SSL_NO_SHARED_CIPHER: ["the two sides have no cipher in common", ciphers],
  ERR_SSL_NO_SHARED_GROUPS: ["the two sides have no curve in common", ciphers],
  ERR_SSL_NO_SUITABLE_KEY_SHARE: ["the two sides have no curve in common", ciphers],
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: ["the two sides have no signature algorithm in common", ciphers],
  ERR_SSL_NO_APPLICATION_PROTOCOL: [
    "the client offered no application protocol that is spoken here",
    "compare alpn of both sides"
  ]
}

const alerts: Record<string, Words> = {
  UNKNOWN_CA: [
    "the peer does not trust the issuer of this side's certificate",
    "give the peer that issuer's certificate"
  ],
  BAD_CERTIFICATE: ["the peer refused this side's certificate", "see the peer's log"],
  CERTIFICATE_UNKNOWN: ["the peer refused this side's certificate", "see the peer's log"],
  UNSUPPORTED_CERTIFICATE: ["the peer refused the kind of this side's certificate", "see the peer's log"],
  CERTIFICATE_EXPIRED: [
    "the peer says that this side's certificate has expired",
    "renew it, or check the peer's clock"
  ],
  CERTIFICATE_REVOKED: ["the peer says that this side's certificate was revoked", "renew it"],
  CERTIFICATE_REQUIRED: ["the peer requires a certificate, and this side showed none", "give one as certificate"],
  ACCESS_DENIED: ["the peer denied access", "see the peer's log"],
  PROTOCOL_VERSION: ["the peer allows no version of TLS that is spoken here", agree],
  INSUFFICIENT_SECURITY: ["the peer asks for stronger ciphers", ciphers],
  HANDSHAKE_FAILURE: ["the peer found nothing that both sides can do", `${ciphers}; it may also require a certificate`],
  UNRECOGNIZED_NAME: ["the peer has no certificate for the name that was asked for", "check servername"],
  NO_APPLICATION_PROTOCOL: ["the peer speaks none of the application protocols offered", "compare alpn of both sides"]
}

const alertOf = (code: string): string | undefined =>
  /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3|SSL\/TLS|TLSV1_3)_ALERT_(.+)$/.exec(code)?.[1]

/** Records that no TLS peer sends are told by these. */
const noTls = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_DATA_LENGTH_TOO_LONG",
  "ERR_SSL_BAD_RECORD_TYPE",
  "ERR_SSL_RECORD_TOO_SMALL",
  "ERR_SSL_UNEXPECTED_MESSAGE",
  "ERR_SSL_UNEXPECTED_RECORD"
])

const failed = (code: string, message: string, hint: string): Tls.HandshakeFailure => ({
  reason: { _tag: "HandshakeFailed", message },
  code,
  hint
})

const excerptBytes = 24

/** The beginning of the first line of what somebody sent, as a person can read it. */
const excerpt = (bytes: Uint8Array): string => {
  const end = bytes.findIndex((byte) => byte === 0x0d || byte === 0x0a)
  const line = end < 0 ? bytes : bytes.subarray(0, end)
  let text = ""
  for (const byte of line.subarray(0, excerptBytes)) {
    text += byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`
  }
  return line.length > excerptBytes ? `${text}…` : text
}

/** A peer whose first bytes are no TLS. */
export const plainText = (code: string, head: Uint8Array | undefined): Tls.HandshakeFailure => {
  const sent = head === undefined ? "" : ` (it sent "${excerpt(head)}")`
  return failed(code, `the peer did not speak TLS${sent}`, "check that both sides mean TLS at this port")
}

/** A peer that went away. */
export const hungUp = (code: string | undefined, spoke: boolean): Tls.HandshakeFailure => {
  const hint = "see the peer's log: it may have refused what this side offered"
  if (code !== undefined && code !== "EPIPE") return { reason: { _tag: "PeerReset", code }, code, hint }
  return spoke
    ? failed("ECONNRESET", "the peer hung up in the handshake", hint)
    : { reason: CloseReason.peerClosed, code: "ECONNRESET", hint }
}

/** This side gave up. */
export const gaveUp: Tls.HandshakeFailure = { reason: CloseReason.closed, code: "ECANCELED", hint: "" }

/** What an error of a handshake means; `head` is what the peer sent first, where that is known. */
export const fromError = (error: NodeJS.ErrnoException, head: Uint8Array | undefined): Tls.HandshakeFailure => {
  const code = error.code ?? error.message
  if (code === "ECONNRESET" || code === "EPIPE") {
    // Node also calls the end of the stream so, which is no reset.
    return hungUp("syscall" in error ? code : undefined, true)
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    // Node's text names both; of its two sentences the second one does.
    const names = error.message.replace(/^Hostname\/IP does not match certificate's altnames: /, "")
    const message = `the peer's certificate is for somebody else: ${names.replace(/\.$/, "")}`
    return failed(code, message, "dial the name that the certificate has, or give it as servername")
  }
  if (noTls.has(code)) return plainText(code, head)
  const alert = alertOf(code)
  const known = words[code] ?? (alert === undefined ? undefined : alerts[alert])
  if (known !== undefined) return failed(code, known[0], known[1])
  return failed(
    code,
    alert === undefined ? code : `the peer sent the alert ${alert.toLowerCase()}`,
    "see the peer's log"
  )
}

/**
 * What Node calls things: endpoints as it wants to hear them, and its codes for what went wrong.
 */
import * as Host from "effect/net/Host"
import type * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"

/** Abstract names begin with a zero byte; every interface is no host at all. */
export const nativeAddress = (
  endpoint: Endpoint.Tcp | Endpoint.Unix
): { readonly path: string } | { readonly port: number; readonly host?: string } => {
  if (endpoint._tag === "Unix") return { path: endpoint.path.replace(/^@/, "\0") }
  return endpoint.host === "*"
    ? { port: endpoint.port }
    : { port: endpoint.port, host: Host.formatHost(endpoint.host) }
}

/** The system's word for an error; of an error without one, what it says. */
export const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message

const bindReasons: Record<string, Transport.BindReason> = {
  EADDRINUSE: "AddressInUse",
  EADDRNOTAVAIL: "AddressNotAvailable",
  EAFNOSUPPORT: "AddressNotAvailable",
  EBADF: "AddressNotAvailable",
  ENOTSOCK: "AddressNotAvailable",
  ENOTFOUND: "AddressNotAvailable",
  EAI_AGAIN: "AddressNotAvailable",
  ENOENT: "AddressNotAvailable",
  ENOTDIR: "AddressNotAvailable",
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  EROFS: "AccessDenied"
}

/** Why a bind failed. */
export const bindReason = (code: string): Transport.BindReason => bindReasons[code] ?? "Unknown"

export { connectReason } from "./connectReasons.ts"

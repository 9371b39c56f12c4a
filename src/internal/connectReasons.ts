/**
 * Why a dial failed, for the system's word: the same on every transport that has system errors.
 */
import type * as Transport from "../Transport.ts"

const connectReasons: Record<string, Transport.ConnectReason> = {
  ECONNREFUSED: "Refused",
  ENOTFOUND: "NotFound",
  EAI_AGAIN: "NotFound",
  ENOENT: "NotFound",
  ENOTDIR: "NotFound",
  ENOTSOCK: "NotFound",
  ETIMEDOUT: "TimedOut",
  EHOSTUNREACH: "Unreachable",
  EHOSTDOWN: "Unreachable",
  ENETUNREACH: "Unreachable",
  ENETDOWN: "Unreachable",
  EADDRNOTAVAIL: "Unreachable",
  EAFNOSUPPORT: "Unreachable",
  EACCES: "AccessDenied",
  EPERM: "AccessDenied"
}

/** Why a dial failed. */
export const connectReason = (code: string): Transport.ConnectReason => connectReasons[code] ?? "Unknown"

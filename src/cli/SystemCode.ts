/**
 * The system's word for what went wrong: `EPIPE`, `EISDIR`, `ENOSPC`.
 *
 * @since 0.1.0
 */
import type * as PlatformError from "effect/PlatformError"

/** Finds the code in the error that Effect's platform wraps. @category conversions @since 0.1.0 */
export const fromPlatform = ({ message, reason: { cause } }: PlatformError.PlatformError): string => {
  if (typeof cause === "object" && cause !== null && "code" in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : message
}

const whys: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  EACCES: "permission was denied",
  EPERM: "permission was denied"
}

/** Why a file cannot be read, behind the words that say so. @category formatting @since 0.1.0 */
export const explain = (code: string): string => {
  const why = whys[code]
  return why === undefined ? ` (${code})` : `: ${why} (${code})`
}

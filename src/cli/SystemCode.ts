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

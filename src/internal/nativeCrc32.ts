/**
 * The CRC-32 that the runtime brings: zlib's, several times faster than JavaScript for more than a few hundred bytes.
 *
 * It is found on the global object when the program runs and not imported, so that the library still loads where there
 * is no `node:zlib`, such as in a browser. Node has it since 22.2, Bun and Deno have it too.
 */
import * as Predicate from "effect/Predicate"

/** The CRC-32 of bytes that follow bytes with the CRC-32 `before`. */
export type NativeCrc32 = (bytes: Uint8Array, before: number) => number

/**
 * Calling into the runtime costs about 110 ns, so JavaScript is as fast at about 500 bytes (measured, Node 26.10).
 */
export const nativeFrom = 512

/** Looks for `process.getBuiltinModule("node:zlib").crc32` on a global object. */
export const find = (global: object): NativeCrc32 | undefined => {
  if (!Predicate.hasProperty(global, "process")) return undefined
  const { process } = global
  if (!Predicate.hasProperty(process, "getBuiltinModule") || !Predicate.isFunction(process.getBuiltinModule)) {
    return undefined
  }
  const zlib: unknown = process.getBuiltinModule("node:zlib")
  if (!Predicate.hasProperty(zlib, "crc32") || !Predicate.isFunction(zlib.crc32)) return undefined
  const { crc32 } = zlib
  const native: NativeCrc32 = (bytes, before) => Number(crc32(bytes, before))
  // A function of that name which computes something else is none.
  return native(Uint8Array.of(0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39), 0) === 0xcbf4_3926
    ? native
    : undefined
}

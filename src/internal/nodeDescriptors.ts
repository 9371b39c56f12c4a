/**
 * How many descriptors this process may have, and what number one of its sockets has.
 *
 * Node raises its soft limit to the hard one when it starts, so the number is asked for here and not known from `ulimit`.
 * Linux tells it in `/proc/self/limits` (proc(5)); elsewhere it stays unknown.
 */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import type * as Net from "node:net"

/** `Max open files            1024                 524288               files` */
const line = /^Max open files\s+(\d+)/m

/** The soft limit; undefined where it is not known, or there is none. */
export const descriptorLimit: Effect.Effect<number | undefined> = Effect.sync(() => {
  try {
    const limit = line.exec(Fs.readFileSync("/proc/self/limits", "latin1"))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
})

/** The number of a socket's descriptor; Node keeps it where only its own files look, and has none on Windows. */
export const descriptorOf = (socket: Net.Socket): number | undefined => {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: number } | null } // not in Node's types
  const fd = handle?.fd
  return fd === undefined || fd < 0 ? undefined : fd
}

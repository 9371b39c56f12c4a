/**
 * How a server listens: the options of its listeners, and which of them its endpoints can have.
 */
import * as Effect from "effect/Effect"
import * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"
import { integer, refuse, type ServerOptionsError } from "./optionRules.ts"

/**
 * How to listen.
 *
 * @category options
 * @since 0.1.0
 */
export interface ListenOptions {
  /**
   * How many connections the kernel holds that were not accepted yet (`listen(2)`; the kernel has a limit of its own).
   *
   * @default 511
   */
  readonly backlog?: number | undefined
  /**
   * The permission bits of the files of `unix:` endpoints, from the moment they are there (`0o660`).
   *
   * @default what the process's umask leaves of 0o777
   */
  readonly unixMode?: number | undefined
  /**
   * Whether other servers, in this process or another, may listen on the same addresses: the kernel shares the
   * connections out among all that ask for it.
   *
   * **Details**
   *
   * - Shape: for `tcp://` and `tls://` endpoints alone; each server keeps limits of its own.
   * - Errors: `ServerOptionsError` with any other endpoint. `BindError` with `AddressInUse` where somebody listens who
   *   does not share, or is another user; with `NotShareable` where the transport, or the system, cannot do it.
   * - Source: `SO_REUSEPORT`, socket(7).
   *
   * **Gotchas**: the kernel chooses by a hash of the addresses, not by who has room. A server that closes resets the
   * connections that it has not accepted yet. Nobody is told that an address is shared with a stranger.
   *
   * @default false
   */
  readonly reusePort?: boolean | undefined
}

/** The values used where an option is not given. */
export const listenDefaults = {
  /** Node's own default. */
  backlog: 511,
  /** A second server on the same port is a mistake, unless somebody says that it is not. */
  reusePort: false
} as const

/** The options, checked and filled in, as a transport takes them. */
export type ListenSettings = Required<Pick<Transport.ListenOptions, "backlog" | "reusePort" | "unixMode">>

/** Permission bits, which only a file has. */
export const settleMode = (
  mode: number,
  endpoints: ReadonlyArray<Endpoint.Endpoint>
): Effect.Effect<number, ServerOptionsError> => {
  const hasFile = endpoints.some((endpoint) => endpoint._tag === "Unix" && !endpoint.path.startsWith("@"))
  if (!hasFile) return refuse("unixMode", mode, "absent without an endpoint unix:PATH")
  return integer("unixMode", mode, [0, 0o777])
}

/** Sharing, which only ports of TCP know. */
export const settleSharing = (
  endpoints: ReadonlyArray<Endpoint.Endpoint>
): Effect.Effect<true, ServerOptionsError> => {
  const other = endpoints.find((endpoint) => endpoint._tag !== "Tcp" && endpoint._tag !== "Tls")
  return other === undefined
    ? Effect.succeed(true)
    : refuse("reusePort", true, `false with ${Endpoint.format(other)}, because only ports of TCP can be shared`)
}

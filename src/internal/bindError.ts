/**
 * Why an endpoint could not be listened on, and what to do about it.
 */
import * as Data from "effect/Data"
import * as Endpoint from "../Endpoint.ts"

/**
 * Why an endpoint could not be listened on.
 *
 * `AddressInUse`: somebody listens there. `AddressNotAvailable`: this machine has no such address, or the name or
 * folder does not exist. `AccessDenied`: the system does not allow it to this user. `Unsupported`: this transport knows
 * no such endpoint. `NotShareable`: `reusePort` was asked for, and the transport or the system cannot do that. `Unknown`:
 * anything else, with the system's `code`.
 *
 * @category errors
 * @since 0.1.0
 */
export type BindReason =
  | "AddressInUse"
  | "AddressNotAvailable"
  | "AccessDenied"
  | "Unsupported"
  | "NotShareable"
  | "Unknown"

/**
 * An endpoint could not be listened on. `hint` says what to do.
 *
 * @category errors
 * @since 0.1.0
 */
export class BindError extends Data.TaggedError("BindError")<{
  readonly endpoint: Endpoint.Endpoint
  readonly reason: BindReason
  readonly code: string
  readonly cause?: unknown
}> {
  override get message(): string {
    const where = Endpoint.format(this.endpoint)
    switch (this.reason) {
      case "AddressInUse":
        return `cannot listen on ${where}: the address is already in use`
      case "AddressNotAvailable":
        if (this.endpoint._tag === "Descriptor") {
          return `cannot listen on ${where}: it is closed, or no listening socket (${this.code})`
        }
        return this.endpoint._tag === "Unix"
          ? `cannot listen on ${where}: there is no such folder (${this.code})`
          : `cannot listen on ${where}: the address is not available on this machine (${this.code})`
      case "AccessDenied":
        return `cannot listen on ${where}: access denied (${this.code})`
      case "Unsupported":
        return `cannot listen on ${where}: this transport does not know such endpoints`
      case "NotShareable":
        return `cannot listen on ${where}: it cannot be shared with other listeners here (${this.code})`
      case "Unknown":
        return `cannot listen on ${where}: ${this.code}`
    }
  }
  /** What the reader can do about it. */
  get hint(): string {
    switch (this.reason) {
      case "AddressInUse":
        return this.endpoint._tag === "Unix"
          ? "stop the program that listens there, or choose another path"
          : "stop the program that listens there, or choose another port (0 picks a free one)"
      case "AddressNotAvailable":
        if (this.endpoint._tag === "Descriptor") return "start the program with a listening socket as that descriptor"
        return this.endpoint._tag === "Unix"
          ? "create the folder, or choose another path"
          : "use an address of this machine, such as 127.0.0.1, or * for all of them"
      case "AccessDenied":
        return this.endpoint._tag === "Unix"
          ? "choose a path where you may create files"
          : "ports below 1024 are reserved for the administrator: choose a higher one"
      case "Unsupported":
        return "use an endpoint of the transport's own kind"
      case "NotShareable":
        return "listen without reusePort, in one process"
      case "Unknown":
        return "check the endpoint"
    }
  }
}

/**
 * The `Transport` of one host of a simulated network: what it binds and dials, with a kernel's errors.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as NetAddress from "effect/net/NetAddress"
import * as Endpoint from "../../Endpoint.ts"
import * as Transport from "../../Transport.ts"
import { nameOf, type SimulatedCore } from "./SimulatedCore.ts"
import { SimulatedDial } from "./SimulatedDial.ts"
import { isSame, type SimulatedHost } from "./SimulatedHost.ts"
import { type Scope, SimulatedListener } from "./SimulatedListener.ts"

/** The transport of a host. @category constructors @since 0.1.0 */
export const make = (core: SimulatedCore, host: SimulatedHost): Transport.Transport["Service"] => {
  const listen = (endpoint: Endpoint.Tcp, options: Transport.ListenOptions) =>
    Effect.acquireRelease(
      Effect.suspend(() => bind(core, host, endpoint, options)),
      (listener) => Effect.sync(() => listener.destroy())
    ).pipe(
      Effect.map((listener): Transport.Listener => ({
        endpoint: typeof listener.scope === "string"
          ? Endpoint.withPortUnsafe(endpoint, listener.port)
          : Endpoint.tcpUnsafe(listener.scope, listener.port),
        close: Effect.sync(() => listener.close())
      }))
    )

  const connect = Effect.fnUntraced(function*(endpoint: Endpoint.Tcp) {
    const dial = new SimulatedDial(core, host, endpoint)
    const abandon = Effect.sync(() => dial.abandon())
    // Before the start: wherever the fiber is interrupted from here on, the attempt ends with the scope at the latest.
    yield* Effect.addFinalizer(() => abandon)
    return yield* Effect.callback<Transport.RawSocket, Transport.ConnectError>((resume) => {
      dial.start((outcome) =>
        resume(outcome._tag === "Connected" ? Effect.succeed(outcome.socket) : Effect.fail(outcome.error))
      )
      return abandon
    }).pipe(Effect.onInterrupt(() => abandon))
  })

  return Transport.Transport.of({
    listen: (endpoint, options) =>
      endpoint._tag === "Tcp"
        ? listen(endpoint, options)
        : Effect.fail(new Transport.BindError({ endpoint, reason: "Unsupported", code: endpoint._tag })),
    connect: (endpoint) =>
      endpoint._tag === "Tcp" && endpoint.host !== "*"
        ? connect(endpoint)
        : Effect.fail(
          new Transport.ConnectError({
            endpoint,
            reason: "Unsupported",
            code: endpoint._tag === "Tcp" ? "*" : endpoint._tag
          })
        )
  })
}

const bind = (
  core: SimulatedCore,
  host: SimulatedHost,
  endpoint: Endpoint.Tcp,
  options: Transport.ListenOptions
): Effect.Effect<SimulatedListener, Transport.BindError> => {
  const fail = (reason: Transport.BindReason, code: string) => {
    core.noteHost("bindFails", `${host.name}:${endpoint.port}`, "", code)
    return Effect.fail(new Transport.BindError({ endpoint, reason, code }))
  }
  if (!host.isUp) return fail("Unknown", "ENETDOWN")
  // As a system that has no such option. Hosts have one process each.
  if (options.reusePort === true) return fail("NotShareable", "ENOTSUP")
  const scope = scopeOf(core, host, endpoint.host)
  if (scope === "EADDRNOTAVAIL" || scope === "ENOTFOUND") return fail("AddressNotAvailable", scope)
  if (endpoint.port !== 0 && host.isTaken(scope, endpoint.port)) return fail("AddressInUse", "EADDRINUSE")
  if (!host.takeDescriptor()) return fail("Unknown", "EMFILE")
  const port = endpoint.port === 0 ? host.takePort() : endpoint.port
  if (port === undefined) {
    host.freeDescriptor()
    return fail("AddressInUse", "EADDRINUSE")
  }
  // A port that was taken for a listener is the listener's.
  if (endpoint.port === 0) host.freePort(port)
  const listener = new SimulatedListener(core, host, scope, port, options)
  host.listen(listener)
  core.noteHost("listens", `${host.name}:${port}`)
  return Effect.succeed(listener)
}

/** Which of its own addresses a host is asked to listen on. */
const scopeOf = (
  core: SimulatedCore,
  host: SimulatedHost,
  wanted: Endpoint.Tcp["host"]
): Scope | "EADDRNOTAVAIL" | "ENOTFOUND" => {
  if (wanted === "*") return "*"
  if (typeof wanted === "string") {
    if (wanted === "localhost") return NetAddress.ipv4Loopback
    const named = core.hosts.get(nameOf(wanted))
    if (named === undefined) return "ENOTFOUND"
    return (named === host ? host.addresses[0] : undefined) ?? "EADDRNOTAVAIL"
  }
  if (isSame(wanted, NetAddress.ipv4Unspecified)) return "IPv4"
  if (isSame(wanted, NetAddress.ipv6Unspecified)) return "*" // both families, as Node binds it
  const own = NetAddress.isLoopback(wanted) || host.addresses.some((address) => isSame(address, wanted))
  return own ? wanted : "EADDRNOTAVAIL"
}

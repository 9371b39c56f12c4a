/**
 * A network in memory, for tests: hosts, links with latency and limits, faults, and a trace; all of it from one seed.
 *
 * Each host has a `Transport` of its own, so a program for TCP runs on it unchanged: it binds, dials by name or address,
 * writes, and sees what TCP shows of a bad network: waits, resets, refusals, ends. Time is that of the clock: under
 * `VirtualTime` it jumps from event to event, under an ordinary test's `TestClock` it passes with `TestClock.adjust`.
 *
 * ```
 * host "client" 192.0.2.1                       link                        host "server" 192.0.2.2
 *   Transport --connect--> window, bandwidth, latency, segments, faults --accept--> Transport
 *                              `-- trace: one line per event; the same seed, the same lines
 * ```
 *
 * **Example**
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Endpoint, Transport } from "hawser"
 * import { SimulatedNetwork, VirtualTime } from "hawser/testing"
 *
 * // A program for TCP: it greets whoever comes.
 * const greeter = Transport.Transport.use((transport) =>
 *   transport.listen(Endpoint.tcpUnsafe("*", 7000), {
 *     backlog: 128,
 *     onAccept: (socket) => socket.write([new TextEncoder().encode("ahoy\n")])
 *   })
 * )
 *
 * const program = Effect.gen(function*() {
 *   const network = yield* SimulatedNetwork.make({ seed: 7, hosts: ["client", "server"], link: { latency: 20 } })
 *   yield* network.run("server", greeter)
 *   yield* network.partition("client", "server", { at: 45, forMillis: 60_000 })
 *   const socket = yield* network.transport("client").connect(Endpoint.tcpUnsafe("server", 7000))
 *   socket.attach({ onData: () => {}, onEnd: () => {}, onDrain: () => {}, onClose: () => {} })
 *   socket.resume()
 *   yield* Effect.sleep("2 minutes")
 *   console.log(network.trace.toString())
 * })
 *
 * await Effect.runPromise(VirtualTime.run(program))
 * ```
 *
 * It prints:
 *
 * ```text
 *      0.000 server:7000 listens
 *      0.000 client > server:7000 dials
 *     40.000 #1 client:49152 > server:7000 connected
 *     45.000 client > server fault Partition
 *  60045.000 client > server faultEnds Partition
 *  60065.000 #1 client:49152 > server:7000 accepted
 *  60065.000 #1 server:7000 > client:49152 sends 5 @0
 *  60085.000 #1 server:7000 > client:49152 reads 5 @0
 * ```
 *
 * What holds on every link, whatever goes wrong: a reader gets a prefix of what was written, in order, and then an end,
 * a failure, or nothing more. No byte is skipped, doubled or overtaken; only `Corrupt` changes one.
 *
 * **Gotchas**: a write to a peer that has closed succeeds, and only the answer to it breaks the socket. A reset destroys
 * what the peer has not read. A dial that nobody answers takes `connectTimeout`; a connection whose peer is gone without
 * a word takes `giveUp`, or for ever when nothing is written.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Transport from "../Transport.ts"
import * as Fault from "./Fault.ts"
import type { Connection } from "./internal/SimulatedConnection.ts"
import { namesIn, SimulatedCore } from "./internal/SimulatedCore.ts"
import { describe } from "./internal/SimulatedDescription.ts"
import { SimulatedFaults } from "./internal/SimulatedFaults.ts"
import type { SimulatedHost } from "./internal/SimulatedHost.ts"
import {
  fault as checkFault,
  hostName,
  type Options,
  settle,
  SimulatedNetworkError
} from "./internal/SimulatedOptions.ts"
import { makeRun, type Run } from "./internal/SimulatedRun.ts"
import * as SimulatedTransport from "./internal/SimulatedTransport.ts"
import * as Timers from "./Timers.ts"
import type * as Trace from "./Trace.ts"
import { VirtualTime } from "./VirtualTime.ts"

export {
  /** The values used where an option is not given. @category options @since 0.1.0 */
  defaults,
  /** A host, when there is more to say than its name. @category options @since 0.1.0 */
  type HostOptions,
  /** The link between two hosts. @category options @since 0.1.0 */
  type LinkOptions,
  /** What a network is like. @category options @since 0.1.0 */
  type Options,
  /** An option that no network can have. @category errors @since 0.1.0 */
  SimulatedNetworkError
} from "./internal/SimulatedOptions.ts"

export {
  /** One connection, as a look from outside finds it. @category models @since 0.1.0 */
  type Connection,
  /** One direction of it. @category models @since 0.1.0 */
  type Direction,
  /** Writes a connection as a line. @category formatting @since 0.1.0 */
  format as formatConnection
} from "./internal/SimulatedConnection.ts"

export {
  /** Runs a program with the transport of a host. @category models @since 0.1.0 */
  type Run
} from "./internal/SimulatedRun.ts"

/** A host of a network. @category models @since 0.1.0 */
export interface Host {
  readonly name: string
  readonly addresses: ReadonlyArray<NetAddress.IpAddress>
  readonly isUp: () => boolean
  /** Open sockets, listeners and dials. */
  readonly openDescriptors: () => number
  /** What programs on it dial and listen with. */
  readonly transport: Transport.Transport["Service"]
  /** Calls back when it goes down and when it is up again, inside the network. The result ends that. */
  readonly watch: (watcher: (state: "down" | "up") => void) => () => void
}

/** What a fault is made of, without its kind. */
type Inject<Args extends ReadonlyArray<unknown>> = (...args: Args) => Effect.Effect<void, Fault.FaultError>

/** A network. @category models @since 0.1.0 */
export interface SimulatedNetwork {
  readonly seed: number | string
  /** Milliseconds since it was made. */
  readonly now: () => number
  /**
   * A host by its name. Where the option `hosts` is not given, it is added. Throws `SimulatedNetworkError` for a name that
   * is not there, or cannot be.
   */
  readonly host: (name: string) => Host
  readonly hosts: () => ReadonlyArray<Host>
  /** Runs an effect on a host, or builds a layer there, for the time of the scope. Dies where `host` throws. */
  readonly run: Run
  /** `host(name).transport`. */
  readonly transport: (name: string) => Transport.Transport["Service"]
  /** `host(name).transport`, as a layer. */
  readonly layer: (name: string) => Layer.Layer<Transport.Transport>
  /** Every connection with an open socket, in the order of their numbers. */
  readonly connections: () => ReadonlyArray<Connection>
  /** The connections and listeners, one line each: what to print when nothing goes on. */
  readonly describe: () => ReadonlyArray<string>
  readonly trace: Trace.Trace
  /** How often each kind of event happened: a test of resets looks whether there were any. */
  readonly counts: Trace.Counts
  /** Lets a fault happen: at once, or when its time comes. */
  readonly inject: Inject<[fault: Fault.Fault]>
  /** The same from plain code, such as a callback. Throws `FaultError`. */
  readonly injectUnsafe: (fault: Fault.Fault) => void
  readonly partition: Inject<Parameters<typeof Fault.partition>>
  readonly repair: Inject<Parameters<typeof Fault.repair>>
  readonly stall: Inject<Parameters<typeof Fault.stall>>
  readonly reset: Inject<Parameters<typeof Fault.reset>>
  readonly corrupt: Inject<Parameters<typeof Fault.corrupt>>
  readonly setLink: Inject<Parameters<typeof Fault.setLink>>
  readonly crash: Inject<Parameters<typeof Fault.crash>>
  readonly restart: Inject<Parameters<typeof Fault.restart>>
  readonly refuse: Inject<Parameters<typeof Fault.refuse>>
  readonly blackHole: Inject<Parameters<typeof Fault.blackHole>>
  readonly accept: Inject<Parameters<typeof Fault.accept>>
  readonly holdAccepts: Inject<Parameters<typeof Fault.holdAccepts>>
  readonly exhaust: Inject<Parameters<typeof Fault.exhaust>>
}

const makeHost = (core: SimulatedCore, host: SimulatedHost): Host => ({
  name: host.name,
  addresses: host.addresses,
  isUp: () => host.isUp,
  openDescriptors: () => host.openDescriptors,
  transport: SimulatedTransport.make(core, host),
  watch: (watcher) => host.watch(watcher)
})

/**
 * Makes a network, for the time of a scope; then every socket on it is closed, and nothing more happens.
 *
 * **Details**
 * - Errors: `SimulatedNetworkError` for an option that cannot be, `FaultError` for such a fault.
 * - Under `VirtualTime`, its connections and listeners are in the message of `Stuck`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<SimulatedNetwork, SimulatedNetworkError | Fault.FaultError, Scope.Scope> {
  const settled = yield* Effect.fromResult(settle(options))
  const timers = options.timers ?? (yield* Timers.current)
  const core = new SimulatedCore({ ...settled, timers })
  const faults = new SimulatedFaults(core)
  const known = new Map<string, Host>()

  const addHost = (name: string, given?: (typeof settled.hosts)[number]): Host => {
    const added = core.addHost(name, given?.addresses)
    if (typeof added === "string") throw new SimulatedNetworkError({ option: "hosts", value: name, rule: added })
    if (given?.descriptors !== undefined) added.limits.set(given, given.descriptors)
    const host = makeHost(core, added)
    known.set(name, host)
    return host
  }
  const host = (name: string): Host => {
    const there = known.get(name)
    if (there !== undefined) return there
    const asEndpointsHaveIt = Result.getOrThrow(hostName(name))
    const host = known.get(asEndpointsHaveIt)
    if (host !== undefined) return host
    // A misspelt host would be one that nobody serves.
    if (options.hosts !== undefined) {
      throw new SimulatedNetworkError({ option: "host", value: name, rule: oneOf(Array.from(known.keys())) })
    }
    return addHost(asEndpointsHaveIt)
  }
  const check = (value: Fault.Fault): Result.Result<Fault.Fault, Fault.FaultError> =>
    Result.flatMap(checkFault(value), (fault) => {
      const rule = faults.broken(fault)
      return rule === undefined ? Result.succeed(fault) : Result.fail(new Fault.FaultError({ fault: value, rule }))
    })
  const inject = (value: Fault.Fault): Effect.Effect<void, Fault.FaultError> =>
    Effect.suspend(() => Effect.fromResult(Result.map(check(value), (fault) => faults.inject(fault))))
  const injecting =
    <Args extends ReadonlyArray<unknown>>(fault: (...args: Args) => Fault.Fault): Inject<Args> => (...args) =>
      inject(fault(...args))

  yield* Effect.try({
    try: () => {
      for (const given of settled.hosts) addHost(given.name, given)
      const named: ReadonlyArray<Parameters<typeof namesIn>[0]> = options.hosts === undefined
        ? settled.faults
        : settled.links
      for (const name of named.flatMap(namesIn)) if (name !== "*") host(name)
    },
    // What addHost and host throw.
    catch: (error) => error as SimulatedNetworkError
  })
  yield* Effect.fromResult(Result.all(settled.faults.map(check)))
  const virtual = yield* Effect.serviceOption(VirtualTime)
  if (Option.isSome(virtual) && virtual.value === timers) {
    yield* Effect.acquireRelease(
      Effect.sync(() => virtual.value.describing(() => describe(core))),
      (remove) => Effect.sync(remove)
    )
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      for (const fault of settled.faults) faults.inject(fault)
    }),
    () =>
      Effect.sync(() => {
        faults.stop()
        for (const host of core.hosts.values()) host.crash("reset")
      })
  )

  return {
    seed: settled.seed,
    now: () => core.now(),
    host,
    hosts: () => Array.from(known.values()),
    run: makeRun((name) => host(name).transport),
    transport: (name) => host(name).transport,
    layer: (name) => Layer.sync(Transport.Transport, () => host(name).transport),
    connections: () => Array.from(core.connections.values(), (connection) => connection.look()),
    describe: () => describe(core),
    trace: core.trace,
    counts: core.trace.counts,
    inject,
    injectUnsafe: (value) => faults.inject(Result.getOrThrow(check(value))),
    partition: injecting(Fault.partition),
    repair: injecting(Fault.repair),
    stall: injecting(Fault.stall),
    reset: injecting(Fault.reset),
    corrupt: injecting(Fault.corrupt),
    setLink: injecting(Fault.setLink),
    crash: injecting(Fault.crash),
    restart: injecting(Fault.restart),
    refuse: injecting(Fault.refuse),
    blackHole: injecting(Fault.blackHole),
    accept: injecting(Fault.accept),
    holdAccepts: injecting(Fault.holdAccepts),
    exhaust: injecting(Fault.exhaust)
  }
})

const oneOf = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "there are no hosts" : `must be one of the hosts ${names.join(", ")}`

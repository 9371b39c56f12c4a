/**
 * What tests of services and of Hawser itself need: laws, random input, and the violation that laws fail with.
 *
 * @since 0.1.0
 */

/** Laws of checksums and CRCs. @since 0.1.0 */
export * as ChecksumLaws from "./ChecksumLaws.ts"

/** Laws of clients of a protocol, in virtual time. @since 0.1.0 */
export * as ClientLaws from "./ClientLaws.ts"

/** Laws of codecs. @since 0.1.0 */
export * as CodecLaws from "./CodecLaws.ts"

/** Laws of connections, for whoever writes a transport. @since 0.1.0 */
export * as ConnectionLaws from "./ConnectionLaws.ts"

/** A fuzzer for codecs and servers. @since 0.1.0 */
export * as Fuzz from "./Fuzz.ts"

/** What a law is and how it is broken. @since 0.1.0 */
export * as Law from "./Law.ts"

/** Random bytes, texts, cuts, endpoints, conversations, commands and plans of faults. @since 0.1.0 */
export * as NetArbitrary from "./NetArbitrary.ts"

/** Random numbers that a seed fully decides. @since 0.1.0 */
export * as Random from "./Random.ts"

/** A scheduler that draws the order of fibers from a seed. @since 0.1.0 */
export * as SeededScheduler from "./SeededScheduler.ts"

/** Laws of servers of a protocol, in virtual time. @since 0.1.0 */
export * as ServerLaws from "./ServerLaws.ts"

/** Whole systems in simulation, and what must hold in them. @since 0.1.0 */
export * as Simulation from "./Simulation.ts"

/** Laws of transports, for whoever writes one. @since 0.1.0 */
export * as TransportLaws from "./TransportLaws.ts"

/** A clock that jumps to the next event, and the runs that it drives. @since 0.1.0 */
export * as VirtualTime from "./VirtualTime.ts"

/** What can go wrong on a simulated network, as plain data. @since 0.1.0 */
export * as Fault from "./Fault.ts"

/** What a link of a simulated network is like. @since 0.1.0 */
export * as SimulatedLink from "./SimulatedLink.ts"

/** A network in memory: hosts, links, faults, and a trace, from one seed. @since 0.1.0 */
export * as SimulatedNetwork from "./SimulatedNetwork.ts"

/** Callbacks at moments of a clock: what the simulated network runs on. @since 0.1.0 */
export * as Timers from "./Timers.ts"

/** What happened on a simulated network. @since 0.1.0 */
export * as Trace from "./Trace.ts"

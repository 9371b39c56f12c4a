/**
 * Hawser: TCP services on Effect. Describe a wire protocol once; serve it, call it, test it.
 *
 * Every module is a namespace: `import { Endpoint, Framing } from "hawser"`. The levels below build on each other and
 * never the other way round: values, messages, the wire, conversations. Ready-made services are in `hawser/services`,
 * laws and a simulated network in `hawser/testing`.
 *
 * @since 0.1.0
 */

// Level 0: values
export * as BitString from "./BitString.ts"
export * as Checksum from "./Checksum.ts"
export * as CloseReason from "./CloseReason.ts"
export * as Crc from "./Crc.ts"
export * as CrcCatalogue from "./CrcCatalogue.ts"
export * as CrcDetection from "./CrcDetection.ts"
export * as Endpoint from "./Endpoint.ts"
export * as Networks from "./Networks.ts"
export * as Parity from "./Parity.ts"
export * as PeerKey from "./PeerKey.ts"
export * as ProxyHeader from "./ProxyHeader.ts"
export * as ProxyTlv from "./ProxyTlv.ts"

// Level 1: messages
export * as ByteWriter from "./ByteWriter.ts"
export * as Codec from "./Codec.ts"
export * as Framing from "./Framing.ts"

// Level 2: the wire
export * as Connection from "./Connection.ts"
export * as MemoryTransport from "./MemoryTransport.ts"
export * as NodeTls from "./NodeTls.ts"
export * as NodeTransport from "./NodeTransport.ts"
export * as Tls from "./Tls.ts"
export * as Transport from "./Transport.ts"

// Level 3: conversations
export * as Admission from "./Admission.ts"
export * as Client from "./Client.ts"
export * as Deadline from "./Deadline.ts"
export * as EffectRpc from "./EffectRpc.ts"
export * as EffectSocket from "./EffectSocket.ts"
export * as Protocol from "./Protocol.ts"
export * as Retransmission from "./Retransmission.ts"
export * as Server from "./Server.ts"

/** TLS keeps the contracts of transports and connections, over Node's sockets and over any other raw socket. */
import { describe } from "@effect/vitest"
import { MemoryTransport, NodeTransport } from "../src/index.ts"
import { keepsTheLaws } from "./support/connectionLaws.ts"
import { overTls } from "./support/tls.ts"

describe("TLS 1.3 over TCP", () => keepsTheLaws({ endpoint: "tcp://127.0.0.1:0" }, overTls(NodeTransport.layer)))
describe("TLS 1.2 over TCP", () =>
  keepsTheLaws({ endpoint: "tcp://127.0.0.1:0" }, overTls(NodeTransport.layer, { maxVersion: "TLSv1.2" })))
describe("TLS 1.3 over memory", () => keepsTheLaws({ endpoint: "memory:tls" }, overTls(MemoryTransport.layer)))
describe("TLS 1.2 over memory", () =>
  keepsTheLaws({ endpoint: "memory:tls" }, overTls(MemoryTransport.layer, { maxVersion: "TLSv1.2" })))
describe("TLS over a Unix socket", () =>
  keepsTheLaws({ endpoint: `unix:@hawser-tls-${process.pid}`, resets: false }, overTls(NodeTransport.layer)))

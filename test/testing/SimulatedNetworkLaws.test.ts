/** The simulated network keeps every law of transports and of connections, on every kind of link. */
import { describe } from "@effect/vitest"
import { TestClock } from "effect/testing"
import type { SimulatedLink } from "../../src/testing/index.ts"
import { keepsTheLaws, YieldingAnywhere } from "../support/connectionLaws.ts"
import { overLink, twoHosts } from "../support/simulatedNetwork.ts"

const spec = {
  ...overLink,
  turn: TestClock.adjust(1),
  patienceTurns: 1000,
  // The laws draw for every kind of link.
  options: { runs: 4 }
}

const links: Record<string, SimulatedLink.Settings> = {
  "a link of one millisecond": {},
  "random latency, random segments": {
    latency: { _tag: "Exponential", minMillis: 0.5, meanMillis: 3 },
    pairMillis: 10,
    segmenting: "random",
    maxSegmentBytes: 8192
  },
  "a window of 1000 bytes": { windowBytes: 1000, latency: 0.5 },
  "the first bytes of each stream drip": { segmenting: Array.from({ length: 300 }, () => 1), unread: "keep" },
  "10 megabytes a second, segments as Ethernet has them": {
    bytesPerSecond: 10_000_000,
    maxSegmentBytes: 1460,
    latency: { _tag: "Bimodal", fastMillis: 1, slowMillis: 40, slowRatio: 0.01 }
  }
}

for (const [name, link] of Object.entries(links)) describe(name, () => keepsTheLaws(spec, twoHosts(link)))

describe("no latency at all, and nobody moves the clock", () =>
  keepsTheLaws({ ...spec, turn: undefined }, twoHosts({ latency: 0 })))

describe("fibers that yield anywhere", () => keepsTheLaws(spec, twoHosts({}), () => new YieldingAnywhere()))

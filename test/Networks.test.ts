import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import { Endpoint, Networks } from "../src/index.ts"
import { endpoint, int, ipv4, ipv6, oneOf } from "./support/proxyArbitrary.ts"

const runs = { arbitrary: { runs: 300 } }

const endpointOf = (address: NetAddress.IpAddress) => Endpoint.tcpUnsafe(address, 1)
const contains = (entries: ReadonlyArray<string>, peer: string) =>
  Networks.contains(Networks.fromInputUnsafe(entries), Endpoint.fromStringUnsafe(peer))

/** An address, and one that has some leading bits of it. */
const near = <A extends NetAddress.IpAddress>(addresses: Arbitrary.Arbitrary<A>, width: number) =>
  Arbitrary.map(
    Arbitrary.all([addresses, addresses, int(0, width), int(0, width)]),
    ([network, other, common, prefix]) => {
      const bytes = (address: NetAddress.IpAddress) =>
        BigInt(
          "0x" + Buffer.from(
            NetAddress.isIpv4Address(address) ? NetAddress.ipv4ToOctets(address) : NetAddress.ipv6ToOctets(address)
          ).toString("hex")
        )
      const low = (1n << BigInt(width - common)) - 1n
      const mixed = (bytes(network) & ~low) | (bytes(other) & low)
      const address = NetAddress.ipFromInputUnsafe(Buffer.from(mixed.toString(16).padStart(width / 4, "0"), "hex"))
      return { network: IpNetwork.fromAddressUnsafe<NetAddress.IpAddress>(network, prefix), address }
    }
  )

const pairs = Arbitrary.array(oneOf([near(ipv4, 32), near(ipv6, 128)]), { minLength: 1, maxLength: 12 })

/** The reference: one network after the other, in the family of the canonical address. */
const isIn = (network: IpNetwork.IpNetwork, address: NetAddress.IpAddress): boolean => {
  const canonical = NetAddress.toCanonical(address)
  const mapped = NetAddress.isIpv4Address(canonical) ? NetAddress.toIpv4Mapped(canonical) : canonical
  return IpNetwork.contains(network, canonical) ||
    (NetAddress.isIpv6Address(network.address) && NetAddress.isIpv4Mapped(network.address) &&
      network.prefixLength >= 96 && IpNetwork.contains(network, mapped))
}

describe("contains", () => {
  it.prop("is what any one of the networks contains, in any order", { pairs }, ({ pairs }) => {
    const networks = pairs.map(({ network }) => network)
    const sets = [networks, networks.toReversed()].map((entries) => Networks.fromInputUnsafe(entries))
    const edges = networks.flatMap((network) => [IpNetwork.firstAddress(network), IpNetwork.lastAddress(network)])
    for (const address of [...pairs.map(({ address }) => address), ...edges]) {
      const expected = networks.some((network) => isIn(network, address))
      for (const set of sets) {
        assert.strictEqual(Networks.containsIp(set, address), expected, `${Networks.format(set)} and ${address}`)
        assert.strictEqual(Networks.contains(set, endpointOf(address)), expected)
      }
    }
  }, runs)

  it.prop("is as true for an IPv4-mapped address", { address: ipv4, prefix: int(0, 32) }, ({ address, prefix }) => {
    const network = IpNetwork.fromAddressUnsafe(address, prefix)
    const mapped = IpNetwork.fromAddressUnsafe(NetAddress.toIpv4Mapped(address), prefix + 96)
    for (const set of [network, mapped].map((entry) => Networks.fromInputUnsafe([entry]))) {
      assert.isTrue(Networks.contains(set, endpointOf(address)))
      assert.isTrue(Networks.contains(set, endpointOf(NetAddress.toIpv4Mapped(address))))
    }
  })

  it.prop("the empty set has nobody", { endpoint }, ({ endpoint }) => {
    assert.isFalse(Networks.contains(Networks.empty, endpoint))
  })

  it.each<[entries: ReadonlyArray<string>, peer: string, expected: boolean]>([
    [["0.0.0.0/0"], "tcp://255.255.255.255:1", true],
    [["0.0.0.0/0"], "tcp://[::1]:1", false],
    [["::/0"], "tcp://[ffff::1]:1", true],
    [["::/0"], "tcp://1.2.3.4:1", false],
    [["::/0"], "tcp://[::ffff:1.2.3.4]:1", false],
    [["::fffe:0:0/95"], "tcp://1.2.3.4:1", false],
    [["10.0.0.0/8", "10.1.0.0/16"], "tls://10.200.0.1:1", true],
    [["128.0.0.0/1"], "tcp://128.0.0.0:1", true],
    [["128.0.0.0/1"], "tcp://127.255.255.255:1", false],
    [["192.0.2.7"], "tcp://192.0.2.7:1", true],
    [["192.0.2.7"], "tcp://192.0.2.8:1", false],
    [["fe80::/10"], "tcp://[fe80::1%eth0]:1", true],
    [["fe80::1"], "tcp://[fe80::2%eth0]:1", false],
    [["0.0.0.0/0", "::/0", "unix", "memory"], "tcp://localhost:1", false],
    [["0.0.0.0/0", "::/0", "unix", "memory"], "tcp://*:1", false],
    [["unix"], "unix:/run/x.sock", true],
    [["unix"], "memory:x", false],
    [["memory"], "memory:x", true],
    [["memory"], "unix:/run/x.sock", false],
    [["0.0.0.0/0", "::/0"], "unix:/run/x.sock", false]
  ])("%j has %s: %j", (entries, peer, expected) => {
    assert.strictEqual(contains(entries, peer), expected)
  })
})

describe("fromInput", () => {
  const expected = "expected a network such as 10.0.0.0/8, an address, unix or memory"
  it.each<[text: string, rule: string]>([
    ["10.0.0.1/8", "the address has bits behind the prefix, write 10.0.0.0/8"],
    ["2001:db8::1/64", "the address has bits behind the prefix, write 2001:db8::/64"],
    ["10.0.0.0/33", "the prefix length must be an integer from 0 to 32, got \"33\""],
    ["10.0.0.0/08", "the prefix length must be an integer from 0 to 32, got \"08\""],
    ["10.0.0.0/", "the prefix length must be an integer from 0 to 32, got \"\""],
    ["::/129", "the prefix length must be an integer from 0 to 128, got \"129\""],
    ["10.0.0.0/255.0.0.0", "the prefix length must be an integer from 0 to 32, got \"255.0.0.0\""],
    ["10.0.0.0/8/8", `${expected} (expected exactly four decimal octets)`],
    ["10.0/8", `${expected} (expected exactly four decimal octets)`],
    ["localhost", `${expected} (expected exactly four decimal octets)`],
    ["Unix", `${expected} (expected exactly four decimal octets)`],
    ["", `${expected} (expected exactly four decimal octets)`],
    [
      "fe80::1%eth0",
      `${expected} (brackets and zone identifiers are not valid in a bare IPv6 address)`
    ]
  ])("refuses %j", (entry, rule) => {
    const result = Networks.fromInput(["10.0.0.0/8", entry, "worse"])
    const error = new Networks.NetworksError({ entry, index: 1, rule })
    assert.deepStrictEqual(result, Result.fail(error))
    assert.strictEqual(error.message, `network ${JSON.stringify(entry)} (number 2): ${rule}`)
  })

  it.prop("answers any text with a network or an error that names it", {
    text: Arbitrary.map(
      Arbitrary.array(Arbitrary.schema(Schema.Literals(["1", "0", "25", ".", ":", "::", "/", "8", "%", "unix", " "]))),
      (parts) => parts.join("")
    )
  }, ({ text }) => {
    const result = Networks.fromInput([text])
    if (Result.isFailure(result)) assert.strictEqual(result.failure.entry, text)
    else assert.isTrue(Networks.isNetworks(Networks.fromInputUnsafe(Networks.format(result.success).split(", "))))
  }, runs)

  it("gives a set back", () => {
    const set = Networks.fromInputUnsafe(["10.0.0.0/8"])
    assert.strictEqual(Networks.fromInputUnsafe(set), set)
    assert.isTrue(Networks.isNetworks(set))
    assert.deepStrictEqual([[], {}, null, "10.0.0.0/8"].map(Networks.isNetworks), [false, false, false, false])
  })

  it.effect("and text, both ways", () =>
    Effect.gen(function*() {
      const text = "10.0.0.0/8,2001:db8::/32\n192.0.2.7  unix, memory,"
      const set = yield* Schema.decodeEffect(Networks.NetworksFromString)(text)
      const spelled = yield* Schema.encodeEffect(Networks.NetworksFromString)(set)
      assert.strictEqual(spelled, "10.0.0.0/8, 2001:db8::/32, 192.0.2.7/32, unix, memory")
      assert.deepStrictEqual(Result.getOrThrow(Networks.fromString(spelled)), set)
      assert.deepStrictEqual(Result.getOrThrow(Networks.fromString(" ")), Networks.empty)
      const error = yield* Effect.flip(Schema.decodeEffect(Networks.NetworksFromString)("10.0.0.0/8 x"))
      assert.include(String(error), "network \"x\" (number 2): expected a network")
    }))
})

import { assert, it } from "@effect/vitest"
import { Arbitrary } from "effect"
import { IpNetwork, NetAddress } from "effect/net"
import { Endpoint, PeerKey } from "../src/index.ts"
import { int, ipv4, ipv6, oneOf } from "./support/proxyArbitrary.ts"

const pair = oneOf<readonly [NetAddress.IpAddress, NetAddress.IpAddress]>([
  Arbitrary.all([ipv4, ipv4]),
  Arbitrary.all([ipv6, ipv6])
])

it.prop("the key is the network of the peer", {
  pair,
  ipv4PrefixBits: int(0, 32),
  ipv6PrefixBits: int(0, 128)
}, ({ ipv4PrefixBits, ipv6PrefixBits, pair }) => {
  const keyOf = PeerKey.make({ ipv4PrefixBits, ipv6PrefixBits })
  const networks = pair.map((address) => {
    const canonical = NetAddress.toCanonical(address)
    const bits = NetAddress.isIpv4Address(canonical) ? ipv4PrefixBits : ipv6PrefixBits
    return IpNetwork.format(IpNetwork.fromAddressUnsafe(canonical, bits))
  })
  const keys = pair.map((address, port) => keyOf(Endpoint.tcpUnsafe(address, port)))
  assert.deepStrictEqual(keys.map((key) => IpNetwork.format(IpNetwork.fromStringUnsafe(key))), networks)
  assert.strictEqual(keys[0] === keys[1], networks[0] === networks[1])
}, { arbitrary: { runs: 1000 } })

it.each([
  ["tcp://192.0.2.7:4711", "192.0.2.7/32"],
  ["tls://255.255.255.255:1", "255.255.255.255/32"],
  ["tcp://[::ffff:192.0.2.7]:1", "192.0.2.7/32"],
  ["tcp://[2001:db8:1:2:3::4]:1", "2001:db8:1:2::/64"],
  ["tcp://[2001:db8::4]:1", "2001:db8:0:0::/64"],
  ["tcp://[fe80::1%eth0]:1", "fe80:0:0:0::/64"],
  ["unix:/run/x.sock", "unix"],
  ["unix:@x", "unix"],
  ["memory:client", "memory"],
  ["tcp://localhost:1", "localhost"]
])("%s is one of %s", (peer, key) => {
  assert.strictEqual(PeerKey.make()(Endpoint.fromStringUnsafe(peer)), key)
})

it.each([
  [{ ipv4PrefixBits: 33 }, "ipv4PrefixBits must be an integer from 0 to 32, got 33"],
  [{ ipv4PrefixBits: -1 }, "ipv4PrefixBits must be an integer from 0 to 32, got -1"],
  [{ ipv6PrefixBits: 129 }, "ipv6PrefixBits must be an integer from 0 to 128, got 129"],
  [{ ipv6PrefixBits: 63.5 }, "ipv6PrefixBits must be an integer from 0 to 128, got 63.5"]
])("%j is refused", (options, message) => {
  assert.throws(() => PeerKey.make(options), message)
})

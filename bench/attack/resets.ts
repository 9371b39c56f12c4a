/**
 * Resets at every point: a conversation is broken off behind each of its bytes, in plain text, in the header of a proxy,
 * in the ClientHello and behind the handshake of TLS.
 */
import { connect as secureConnect } from "node:tls"
import { after, clientHello, type Enemy, enemyNetwork } from "./enemy.ts"
import type { Attack, Scene } from "./scene.ts"
import { ask, frame } from "./words.ts"

const talk = Buffer.concat([frame("hello"), frame(""), frame("a somewhat longer message")])
const header = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n")

/** From outside of the network that must send a header. */
const plainAddress = (i: number) => `127.77.0.${1 + i % 250}`

/** By then most of them were accepted. */
const laterMillis = 100

/** How an enemy breaks off, once it has said its part. */
const ways: ReadonlyArray<(enemy: Enemy, part: Uint8Array) => void> = [
  (enemy, part) => {
    enemy.send(part)
    enemy.reset()
  },
  (enemy, part) => {
    enemy.send(part)
    setTimeout(() => enemy.reset(), laterMillis)
  },
  (enemy, part) => {
    enemy.socket.end(part)
    setTimeout(() => enemy.reset(), laterMillis)
  },
  // Broken while the server has much more to say than was read.
  (enemy, part) => {
    enemy.socket.pause()
    enemy.send(Buffer.concat([...Array.from({ length: 60 }, () => ask("much")), part]))
    setTimeout(() => enemy.reset(), laterMillis)
  }
]

/** Each part of some bytes, from none to all. */
const parts = (bytes: Uint8Array, step: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.floor(bytes.length / step) + 1 }, (_, i) => bytes.subarray(0, i * step))

const breakOff = async (
  scene: Scene,
  port: number,
  bytes: Uint8Array,
  options: { readonly step?: number; readonly plain?: boolean; readonly ways?: number } = {}
): Promise<number> => {
  const chosen = ways.slice(0, options.ways ?? ways.length)
  const all = parts(bytes, options.step ?? 1).flatMap((part) => chosen.map((way) => ({ part, way })))
  const begin = (enemy: Enemy, i: number) => {
    const { part, way } = all[i] ?? all[0]! // there is one for each
    way(enemy, part)
  }
  await scene.host.bring(all.length, port, begin, options.plain === true ? { addressOf: plainAddress } : {})
  return all.length
}

const sessions = 60

/** Resets below TLS when the handshake is done, some of them with a message on its way. */
const afterHandshake = async (scene: Scene): Promise<number> => {
  const enemies = await scene.host.bring(sessions, scene.target.tlsPort, () => {}, {
    reads: false,
    addressOf: plainAddress
  })
  await Promise.all(enemies.map((enemy, i) =>
    new Promise<void>((resolve) => {
      const client = secureConnect({ socket: enemy.socket, rejectUnauthorized: false })
      client.on("error", () => {}) // it is what was asked for
      client.on("secureConnect", () => {
        if (i % 3 > 0) client.write(frame("hello"))
        setTimeout(() => {
          enemy.reset()
          resolve()
        }, i % 3 * 30)
      })
    })
  ))
  return sessions
}

export const resets: Attack = {
  name: "resets",
  title: "a conversation is reset behind each of its bytes, in plain text, behind a proxy, and in TLS",
  setting: {
    tls: true,
    options: { proxy: { from: [enemyNetwork] }, linger: "500 millis", deadlines: { handshake: "2 seconds" } }
  },
  run: async (scene) => {
    const { target } = scene
    const before = (await target.facts()).stats.arrived
    const hello = await clientHello()
    let came = await breakOff(scene, target.port, talk, { plain: true })
    came += await breakOff(scene, target.port, Buffer.concat([header, talk]))
    came += await breakOff(scene, target.tlsPort, hello, { step: 16, plain: true, ways: 3 })
    came += await breakOff(scene, target.tlsPort, Buffer.concat([header, hello]), { step: 16, ways: 3 })
    came += await afterHandshake(scene)
    await after(200)
    await scene.latency()
    scene.figures["resets"] = came
    await scene.soon("all of them are gone", 5000, async () => {
      const { handshaking, open } = (await target.facts()).stats
      return open === 1 && handshaking === 0
    })
    const { arrived, endedBy, refusedBy } = (await target.facts()).stats
    // Those that were reset before they were accepted have no address any more, and never arrive.
    scene.figures["never arrived"] = before + came - arrived
    scene.atMost("arrived", arrived - before, came)
    scene.must(arrived - before > came / 4, () => `only ${arrived - before} of ${came} resets arrived`)
    const known = new Set(["PeerClosed", "PeerReset", "FrameTruncated", "HandshakeFailed", "Closed"])
    const others = [...Object.keys(endedBy), ...Object.keys(refusedBy)].filter((reason) => !known.has(reason))
    scene.equal("reasons that are not the peer's", others, [])
  }
}

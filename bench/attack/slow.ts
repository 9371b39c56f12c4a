/**
 * Slow peers: two thousand of each kind hold a connection and give as little as they can. Each kind has a deadline that
 * ends it, with a reason of its own, while the well-behaved client does not notice.
 */
import { clientHello, enemyNetwork } from "./enemy.ts"
import type { Attack, Scene } from "./scene.ts"
import type { Setting } from "./target.ts"
import { ask, frame, maxFrameBytes } from "./words.ts"

const count = 2000

/** Each of those who do not read fills the kernel with megabytes, which is no fault of the server. */
const unreadCount = 250

/** Long enough to bring everybody and to measure, and no longer. */
const limitMillis = 3500

/** How long everybody may take to go after that: the enemies did not begin all at once. */
const slackMillis = 5000

const never: NonNullable<Setting["options"]["deadlines"]> = {
  handshake: "1 minute",
  firstFrame: "1 minute",
  idle: "1 minute",
  frame: "1 minute",
  minRate: "unbounded",
  write: "1 minute",
  request: "1 minute"
}

/** Room for all, and all deadlines but the one in question far away. */
const options = (deadlines: Setting["options"]["deadlines"]): Setting["options"] => ({
  maxConnections: count + 100,
  linger: "500 millis",
  deadlines: { ...never, ...deadlines }
})

/** The client, while all of them are there; then their end. */
const sitOut = async (scene: Scene, wanted: Parameters<Scene["ends"]>[1], held = count): Promise<void> => {
  await scene.holds(held)
  await scene.latency()
  await scene.latency("visit")
  await scene.ends(limitMillis + slackMillis, wanted)
}

/** The head of a frame that never gets whole. */
const head = frame(Buffer.alloc(maxFrameBytes)).subarray(0, 4)

const trickle: Attack = {
  name: "slow-trickle",
  title: `${count} peers send one byte a second, or 50 in one piece, of a frame that never gets whole`,
  setting: {
    options: options({ minRate: { bytesPerSecond: 16, grace: limitMillis }, frame: limitMillis + 1000 })
  },
  run: async (scene) => {
    const { host, target } = scene
    const byte = Buffer.alloc(1)
    const some = Buffer.alloc(50)
    const enemies = await host.bring(count, target.port, (enemy) => enemy.send(head))
    // A tenth of them in each tenth of a second.
    host.every(100, (tick) => {
      for (let i = 0; i < enemies.length; i++) {
        if (Math.floor(i / 2) % 10 === tick % 10) enemies[i]?.send(i % 2 === 0 ? byte : some)
      }
    })
    await sitOut(scene, { endedBy: { TooSlow: count / 2, FrameTimeout: count / 2 } })
  }
}

const silent: Attack = {
  name: "slow-silent",
  title: `${count} peers say nothing, or nothing more after one message`,
  setting: { options: options({ firstFrame: limitMillis, idle: limitMillis }) },
  run: async (scene) => {
    await scene.host.bring(count, scene.target.port, (enemy, i) => {
      if (i % 2 === 0) enemy.send(frame("hello"))
    })
    await sitOut(scene, { endedBy: { IdleTimeout: count } })
  }
}

const unread: Attack = {
  name: "slow-unread",
  title: `${unreadCount} peers ask for more than they read, half of them over TLS`,
  setting: { options: options({ write: limitMillis, handshake: limitMillis }), tls: true },
  run: async (scene) => {
    const { host, target } = scene
    const many = Buffer.concat(Array.from({ length: 400 }, () => ask("much")))
    const plain = unreadCount / 2
    await host.bring(plain, target.port, (enemy) => enemy.send(many), { reads: false })
    await host.bring(unreadCount - plain, target.tlsPort, (enemy) => enemy.secure(many), { reads: false })
    await sitOut(scene, { endedBy: { WriteStalled: unreadCount } }, unreadCount)
  }
}

const handlers: Attack = {
  name: "slow-handlers",
  title: `${count} peers ask for what a handler never ends`,
  setting: { options: options({ request: limitMillis }) },
  run: async (scene) => {
    await scene.host.bring(count, scene.target.port, (enemy) => enemy.send(ask("hang")))
    await sitOut(scene, { endedBy: { RequestTimeout: count } })
  }
}

const handshake: Attack = {
  name: "slow-tls",
  title: `${count} peers are stuck in TLS: nothing, half a ClientHello, one byte of it a second, nothing after it`,
  setting: { options: options({ handshake: limitMillis }), tls: true },
  run: async (scene) => {
    const { host, target } = scene
    const hello = await clientHello()
    const enemies = await host.bring(count, target.tlsPort, (enemy, i) => {
      if (i % 4 === 1) enemy.send(hello.subarray(0, hello.length >> 1))
      if (i % 4 === 3) enemy.send(hello)
    })
    host.every(1000, (tick) => {
      for (let i = 2; i < enemies.length; i += 4) enemies[i]?.send(hello.subarray(tick, tick + 1))
    })
    await sitOut(scene, { refusedBy: { HandshakeTimeout: count } })
  }
}

const header = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n")

const proxy: Attack = {
  name: "slow-proxy",
  title: `${count} peers are stuck in the PROXY header: nothing, half of it, one byte of it a second`,
  setting: { options: { ...options({ handshake: limitMillis }), proxy: { from: [enemyNetwork] } } },
  run: async (scene) => {
    const { host, target } = scene
    const enemies = await host.bring(count, target.port, (enemy, i) => {
      if (i % 4 === 1) enemy.send(header.subarray(0, header.length >> 1))
    })
    host.every(1000, (tick) => {
      for (let i = 2; i < enemies.length; i += 4) enemies[i]?.send(header.subarray(tick, tick + 1))
    })
    await sitOut(scene, { refusedBy: { HandshakeTimeout: count } })
  }
}

export const slow: ReadonlyArray<Attack> = [trickle, silent, unread, handlers, handshake, proxy]

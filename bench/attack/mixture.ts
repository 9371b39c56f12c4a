/**
 * Everything at once, and a drain in the midst of it: it ends within `announce + grace + force`, and reports what it did.
 */
import { connect as secureConnect } from "node:tls"
import { after as pause, clientHello, type Enemy, enemyNetwork } from "./enemy.ts"
import type { Attack, Report, Scene } from "./scene.ts"
import { ask, frame, maxFrameBytes } from "./words.ts"

/** Enemies of each kind. */
const each = 120

const drain = { announce: 300, grace: 1500, force: 500 } as const

/** What a busy machine may add to the time of a drain, and what its own work takes with a thousand connections. */
const slackMillis = 500

const deafMillis = 3000

const header = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n")
const head = frame(Buffer.alloc(maxFrameBytes)).subarray(0, 4)
const plainAddress = (i: number) => `127.77.0.${1 + i % 250}`

const bringAll = async (scene: Scene): Promise<ReadonlyArray<Enemy>> => {
  const { host, target } = scene
  const hello = await clientHello()
  const many = Buffer.concat(Array.from({ length: 400 }, () => ask("much")))
  const plain = (begin: (enemy: Enemy, i: number) => void, reads = true) =>
    host.bring(each, target.port, begin, { addressOf: plainAddress, reads })
  const secure = (begin: (enemy: Enemy, i: number) => void, reads = true) =>
    host.bring(each, target.tlsPort, begin, { addressOf: plainAddress, reads })
  const proxied = (begin: (enemy: Enemy, i: number) => void) => host.bring(each, target.port, begin)
  const trickling = await plain((enemy) => enemy.send(head))
  host.every(1000, () => {
    for (const enemy of trickling) enemy.send(Uint8Array.of(0))
  })
  const groups = [
    trickling,
    await plain(() => {}),
    await plain((enemy) => enemy.send(frame("hello"))),
    await plain((enemy) => enemy.send(many), false),
    await plain((enemy) => enemy.send(ask("hang"))),
    await host.bring(each / 4, target.port, (enemy) => enemy.send(ask("deaf")), { addressOf: plainAddress }),
    await plain((enemy) => {
      enemy.send(frame("hello"))
      setTimeout(() => enemy.reset(), 100)
    }),
    await secure((enemy, i) => {
      if (i % 2 === 0) enemy.send(hello)
    }),
    await secure((enemy, i) => {
      const client = secureConnect({ socket: enemy.socket, rejectUnauthorized: false })
      client.on("error", () => {}) // the drain may break it
      client.on("end", () => client.end())
      client.resume()
      if (i % 2 === 0) client.write(frame("hello"))
    }, false),
    await proxied((enemy) => enemy.send(header.subarray(0, 20))),
    await proxied((enemy) => enemy.send(Buffer.concat([header, frame("hello")]))),
    // Over the limit by now.
    await plain(() => {})
  ]
  return groups.flat()
}

export const mixture: Attack = {
  name: "mixture",
  title: `${each} of each kind of enemy at once, and a drain of ${drain.announce} + ${drain.grace} + ${drain.force} ms`,
  setting: {
    tls: true,
    deafMillis,
    options: {
      maxConnections: each * 9,
      overflow: { _tag: "Wait", maxWaiting: each, timeout: "1 minute", otherwise: "goodbye" },
      proxy: { from: [enemyNetwork] },
      drain
    }
  },
  run: async (scene) => {
    const { target } = scene
    const enemies = await bringAll(scene)
    await scene.latency()
    const { stats } = await target.facts()
    scene.figures["open"] = stats.open
    scene.figures["handshaking"] = stats.handshaking
    scene.figures["waiting"] = stats.waiting
    const from = performance.now()
    scene.isDrained = true
    const report = await target.order<Report>("drain")
    const took = performance.now() - from
    const limit = drain.announce + drain.grace + drain.force
    scene.figures["drain ms"] = took
    scene.figures["drained"] = report.drained
    scene.figures["forced"] = report.forced
    scene.atMost("milliseconds of the drain", took, limit + slackMillis)
    const after = (await target.facts()).stats
    scene.equal("served + drained + forced", report.served + report.drained + report.forced, after.accepted)
    scene.equal("refused in the report", report.refused, after.refused)
    scene.equal("forced by reason", after.endedBy["ForcedByDrain"] ?? 0, report.forced)
    scene.must(report.forced > 0, () => "nobody was forced, so the enemies were no match")
    await scene.soon(
      "every enemy that reads sees its end",
      3000,
      () => enemies.every(({ isClosed, socket }) => isClosed || socket.isPaused())
    )
    // The handlers that cannot be interrupted are done by then.
    await pause(deafMillis)
  }
}

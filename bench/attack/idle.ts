/** Ten thousand idle connections, until the deadline ends all of them in the same second. */
import { maxDescriptors } from "./enemy.ts"
import type { Attack } from "./scene.ts"
import type { Left } from "./target.ts"
import { frame } from "./words.ts"

/** Fewer where a process may not have so many descriptors. */
const count = Math.min(10_000, maxDescriptors - 500)

/** Long enough to bring everybody, and to measure. */
const idleMillis = 15_000

/** One for the deadlines, one for those that linger, and those of the runtime: none of them is a connection's. */
const maxTimers = 4

export const idle: Attack = {
  name: "idle",
  title: `${count} idle connections, half of them after a message`,
  setting: {
    options: {
      maxConnections: count + 100,
      linger: "500 millis",
      deadlines: { idle: idleMillis, firstFrame: idleMillis }
    }
  },
  run: async (scene) => {
    const { host, target } = scene
    const before = await target.order<Left>("left")
    await host.bring(count, target.port, (enemy, i) => {
      if (i % 2 === 0) enemy.send(frame("hello"))
    })
    await scene.holds(count)
    await scene.latency()
    await scene.latency("visit")
    const holding = await target.order<Left>("left")
    scene.figures["heap kB each"] = (holding.heapBytes - before.heapBytes) / count / 1000
    scene.figures["timers"] = holding.timers
    scene.atMost("timers with all of them", holding.timers, maxTimers)
    await scene.ends(idleMillis + 10_000, { endedBy: { IdleTimeout: count } })
  }
}

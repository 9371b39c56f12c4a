/** Descriptors run out: by connections, which are refused before that, and by files, which the server cannot refuse. */
import { after } from "./enemy.ts"
import type { Attack } from "./scene.ts"
import { frame } from "./words.ts"

const limit = 256
const reserved = 32
const crowd = 400
const unlucky = 50

export const descriptors: Attack = {
  name: "descriptors",
  title: `${crowd} connections under \`ulimit -n ${limit}\`; then the server's own files take every descriptor`,
  setting: { descriptors: limit, options: { reservedDescriptors: reserved, linger: "500 millis" } },
  run: async (scene) => {
    const { host, target } = scene
    const counts = async () => (await target.facts()).stats
    await host.bring(crowd, target.port, (enemy) => enemy.send(frame("hello")))
    await after(300)
    const { alarms, stats } = await target.facts()
    const refused = stats.refusedBy["reservedDescriptors"] ?? 0
    scene.figures["let in"] = stats.open - 1
    scene.figures["refused at once"] = refused
    scene.equal("let in and refused", stats.open - 1 + refused, crowd)
    scene.must(refused > 0, () => "nobody was refused, so the limit was not reached")
    scene.atMost("descriptors in use", target.descriptors, limit - reserved + 1)
    scene.equal("alarms about reservedDescriptors", alarms["reservedDescriptors"], 1)
    await scene.latency()
    host.leave()
    await scene.holds(0)

    // The runtime drops who comes without a descriptor, and tells nobody; the server lives, and so does who is in.
    const { taken } = await target.order<{ readonly taken: number }>("take descriptors")
    scene.figures["taken by files"] = taken
    scene.equal("descriptors in use", target.descriptors, limit)
    const dropped = await host.bring(unlucky, target.port, (enemy) => enemy.send(frame("hello")))
    await scene.latency()
    await scene.soon("who came without a descriptor is gone", 5000, () => dropped.every(({ isClosed }) => isClosed))

    // Within the reserve it can accept, and says no.
    await target.order("free some")
    const { arrived } = await counts()
    await host.bring(unlucky, target.port, () => {})
    await scene.soon("all are refused", 5000, async () => {
      const now = await counts()
      return now.arrived === arrived + unlucky && now.refusedBy["reservedDescriptors"] === refused + unlucky
    })
    host.leave()
    await target.order("free descriptors")
    await scene.holds(0)
    await scene.latency("visit")
  }
}

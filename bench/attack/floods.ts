/**
 * Floods: more connections than there is room for, faster than they may come, or with more to be kept than there is memory
 * for. Each is refused in the way that was asked for, and whoever is in does not notice.
 */
import { after, type Enemy, until } from "./enemy.ts"
import type { Attack, Scene } from "./scene.ts"
import { ask, farewells, frame } from "./words.ts"

/** The places of the server; one is the client's. */
const places = 100

const wave = 250

/** How many places get free again. */
const freed = 40

/** As long as an enemy may take to see that it was refused. */
const patienceMillis = 5000

/** Fills all places with peers that are silent, and stay. */
const fill = async (scene: Scene): Promise<ReadonlyArray<Enemy>> => {
  const holders = await scene.host.bring(places - 1, scene.target.port, () => {})
  await scene.holds(places - 1)
  return holders
}

/** Floods for as long as the client is measured; gives everybody who came. */
const flood = async (scene: Scene, begin: (enemy: Enemy) => void = () => {}): Promise<ReadonlyArray<Enemy>> => {
  const came: Array<Enemy> = []
  const measuring = { isOver: false }
  const waves = async () => {
    while (!measuring.isOver) {
      const enemies = await scene.host.bring(wave, scene.target.port, begin)
      await until(patienceMillis, () => enemies.every(({ isClosed }) => isClosed))
      came.push(...enemies)
    }
  }
  const flooding = waves()
  await scene.latency()
  measuring.isOver = true
  await flooding
  scene.figures["flood"] = came.length
  scene.equal("refused enemies that still have a socket", came.filter(({ isClosed }) => !isClosed).length, 0)
  return came
}

/** What each policy shows to those it refuses. */
const seen = {
  goodbye: ({ code, heard, heardBytes }: Enemy) => {
    const word = frame(farewells.full)
    // Where too many are on their way out, one that comes on top of them is destroyed without a word.
    return heardBytes === 0 || (heardBytes === word.length && heard.equals(word) && code === undefined)
  },
  close: ({ code, heardBytes }: Enemy) => heardBytes === 0 && code === undefined,
  reset: ({ code, heardBytes }: Enemy) => heardBytes === 0 && code === "ECONNRESET"
} as const

const refusing = (policy: keyof typeof seen): Attack => ({
  name: `flood-${policy}`,
  title: `waves of ${wave} connects on a full server of ${places} places, which answers with ${policy}`,
  setting: { options: { maxConnections: places, overflow: policy, linger: "500 millis" } },
  run: async (scene) => {
    const holders = await fill(scene)
    const came = await flood(scene)
    const wrong = came.filter((enemy) => !seen[policy](enemy))
    scene.equal(
      `enemies that saw no ${policy}`,
      wrong.map(({ code, heardBytes }) => ({ code, heardBytes })).slice(0, 3),
      []
    )
    if (policy === "goodbye") {
      const told = came.filter(({ heardBytes }) => heardBytes > 0).length
      scene.figures["heard goodbye"] = told
      scene.must(told > came.length / 2, () => `only ${told} of ${came.length} heard the goodbye`)
    }
    await scene.ends(patienceMillis, { refusedBy: { maxConnections: came.length } })
    // Visitors come faster than a busy server lets them go.
    for (const holder of holders.slice(0, freed)) holder.socket.destroy()
    await scene.holds(places - 1 - freed)
    await scene.latency("visit")
  }
})

const maxWaiting = 50
const letIn = 20

const waiting: Attack = {
  name: "flood-wait",
  title: `a flood on a full server of ${places} places and a waiting room of ${maxWaiting}`,
  setting: {
    options: {
      maxConnections: places,
      linger: "500 millis",
      overflow: { _tag: "Wait", maxWaiting, timeout: "2 seconds", otherwise: "close" }
    }
  },
  run: async (scene) => {
    const { host, target } = scene
    const holders = await fill(scene)
    const came = await flood(scene)
    await scene.ends(patienceMillis, { refusedBy: { maxConnections: came.length } })
    const hopeful = await host.bring(maxWaiting, target.port, (enemy) => enemy.send(frame("let me in")))
    await scene.soon("all of them wait", 1500, async () => (await target.facts()).stats.waiting === maxWaiting)
    for (const holder of holders.slice(0, letIn)) holder.socket.destroy()
    await scene.soon(
      "who waited is served",
      patienceMillis,
      () => hopeful.filter(({ heardBytes }) => heardBytes > 0).length === letIn
    )
    // Those that came first.
    scene.equal(
      "bytes for those who waited",
      hopeful.slice(0, letIn).every(({ heardBytes }) => heardBytes === 13),
      true
    )
    await scene.ends(patienceMillis, { refusedBy: { maxConnections: came.length + maxWaiting - letIn } })
  }
}

const perPeer = 10
const crowd = 500

const peers: Attack = {
  name: "flood-peer",
  title: `${crowd} connects from each of three addresses: over the limit of a peer, over its rate, and denied`,
  setting: {
    options: {
      overflow: "reset",
      perPeer: { maxConnections: perPeer, rate: { connections: 1, per: "1 hour", burst: crowd } },
      deny: ["127.66.3.0/24"],
      linger: "500 millis"
    }
  },
  run: async (scene) => {
    const { host, target } = scene
    await host.bring(crowd, target.port, () => {}, { addressOf: () => "127.66.1.1" })
    await scene.holds(perPeer)
    await host.bring(crowd, target.port, () => {}, { addressOf: () => "127.66.3.1" })
    await scene.ends(patienceMillis, { refusedBy: { "perPeer.maxConnections": crowd - perPeer, Denied: crowd } })
    // The first address has used up its burst, with refused connects, too.
    await host.bring(crowd, target.port, () => {}, { addressOf: () => "127.66.1.1" })
    await scene.ends(patienceMillis, {
      refusedBy: { "perPeer.maxConnections": crowd - perPeer, Denied: crowd, "perPeer.rate": crowd }
    })
    await scene.latency()
    await scene.holds(perPeer)
  }
}

const rate = 200

const rates: Attack = {
  name: "flood-rate",
  title: `waves of ${wave} connects on a server that takes ${rate} in an hour`,
  setting: { options: { rate: { connections: rate, per: "1 hour" }, overflow: "close", linger: "500 millis" } },
  run: async (scene) => {
    const before = (await scene.target.facts()).stats.arrived
    const came = await flood(scene, (enemy) => enemy.socket.end())
    await scene.ends(patienceMillis, { refusedBy: { rate: came.length - (rate - before) } })
  }
}

const bufferedBytes = 8_000_000
const greedy = 400

const bytes: Attack = {
  name: "flood-bytes",
  title: `${greedy} peers make the server keep replies, which may keep ${bufferedBytes / 1e6} MB in all`,
  setting: { options: { maxBufferedBytes: bufferedBytes, linger: "500 millis", deadlines: { write: "8 seconds" } } },
  run: async (scene) => {
    const { host, target } = scene
    const many = Buffer.concat(Array.from({ length: 400 }, () => ask("much")))
    await host.bring(greedy, target.port, (enemy) => enemy.send(many), { reads: false })
    // The kernel takes a gigabyte of it first.
    let seenEnded = -1
    await until(patienceMillis, async () => {
      const before = seenEnded
      await after(500)
      seenEnded = (await target.facts()).stats.ended
      return seenEnded === before
    })
    await scene.latency()
    const { alarms, stats } = await target.facts()
    const cut = stats.endedBy["OverLimit"] ?? 0
    scene.figures["cut"] = cut
    scene.must(cut > 0, () => "nobody was cut, so the budget was not used up")
    scene.equal("alarms about maxBufferedBytes", alarms["maxBufferedBytes"], 1)
    await scene.soon("the others stall", 15_000, async () => (await target.facts()).stats.open === 1)
    const ended = (await target.facts()).stats.endedBy
    scene.equal("cut and stalled", (ended["OverLimit"] ?? 0) + (ended["WriteStalled"] ?? 0), greedy)
  }
}

export const floods: ReadonlyArray<Attack> = [
  refusing("goodbye"),
  refusing("close"),
  refusing("reset"),
  waiting,
  peers,
  rates,
  bytes
]

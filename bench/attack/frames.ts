/** Frames at, below and above the limit, whole and in pieces, and messages that no handler survives. */
import { after, type Enemy } from "./enemy.ts"
import type { Attack } from "./scene.ts"
import { ask, frame, maxFrameBytes } from "./words.ts"

/** Connections of each case. */
const each = 50

/** What is sent, how many bytes must come back, and why the server ends the connection, if it does. */
interface Case {
  readonly name: string
  readonly bytes: Uint8Array
  readonly answerBytes: number
  readonly reason?: string
  /** The enemy ends its side behind it. */
  readonly ends?: boolean
}

const announced = (bytes: number): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes)
  return head
}

const before = frame("before")

const whole = (size: number): Case => ({
  name: `${size} bytes`,
  bytes: frame(Buffer.alloc(size)),
  answerBytes: 4 + size
})

const cases: ReadonlyArray<Case> = [
  whole(0),
  whole(1),
  whole(maxFrameBytes - 1),
  whole(maxFrameBytes),
  ...[maxFrameBytes + 1, 2 ** 31, 2 ** 32 - 1].map((size): Case => ({
    name: `${size} bytes are announced`,
    bytes: announced(size),
    answerBytes: 0,
    reason: "FrameTooLarge"
  })),
  {
    name: "one byte too many, behind a good message",
    bytes: Buffer.concat([before, announced(maxFrameBytes + 1), Buffer.alloc(maxFrameBytes + 1)]),
    answerBytes: before.length,
    reason: "FrameTooLarge"
  },
  {
    name: "an end within a frame",
    bytes: Buffer.concat([before, announced(10), Buffer.alloc(5)]),
    answerBytes: before.length,
    reason: "FrameTruncated",
    ends: true
  },
  { name: "a handler that fails", bytes: ask("fail"), answerBytes: 0, reason: "HandlerFailed" },
  { name: "a handler that dies", bytes: ask("die"), answerBytes: 0, reason: "HandlerFailed" }
]

/** At once, or in single bytes where there are few, or in two pieces. */
const send = ({ bytes, ends }: Case, enemy: Enemy, i: number): void => {
  if (i % 3 === 0 || bytes.length < 2) {
    enemy.send(bytes)
  } else if (i % 3 === 1 && bytes.length < 32) {
    for (const byte of bytes) enemy.send(Uint8Array.of(byte))
  } else {
    enemy.send(bytes.subarray(0, 3))
    setTimeout(() => enemy.send(bytes.subarray(3)), 30)
  }
  if (ends === true) setTimeout(() => enemy.socket.end(), 60)
}

export const frames: Attack = {
  name: "frames",
  title: `frames at, below and above the limit of ${maxFrameBytes} bytes, and handlers that fail`,
  setting: { options: { linger: "500 millis" } },
  run: async (scene) => {
    const { host, target } = scene
    const wanted: Record<string, number> = {}
    const groups: Array<{ readonly of: Case; readonly enemies: ReadonlyArray<Enemy> }> = []
    for (const of of cases) {
      const enemies = await host.bring(each, target.port, (enemy, i) => send(of, enemy, i))
      groups.push({ of, enemies })
      if (of.reason !== undefined) wanted[of.reason] = (wanted[of.reason] ?? 0) + each
    }
    await scene.latency()
    await after(200)
    await scene.ends(5000, { endedBy: wanted })
    for (const { enemies, of } of groups) {
      const wrong = enemies.filter(({ heardBytes }) => heardBytes !== of.answerBytes)
      scene.equal(`${of.name}: bytes that came back`, wrong.map(({ heardBytes }) => heardBytes).slice(0, 3), [])
      const open = enemies.filter(({ isClosed }) => isClosed === (of.reason === undefined))
      scene.equal(`${of.name}: ${of.reason === undefined ? "ended" : "still open"}`, open.length, 0)
    }
    scene.figures["cases"] = cases.length
  }
}

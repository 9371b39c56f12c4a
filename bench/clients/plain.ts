/** A pipelining client on `node:net`, written with care: a promise for each call, and one write for those of one turn. */
import * as Net from "node:net"
import { frames } from "../servers/frames.ts"
import { check, connections, depth, measure, nextMessage, port } from "./control.ts"

const { answer: frame, splitter } = frames.echo

const connect = (): (message: Buffer) => Promise<Buffer> => {
  const socket = Net.connect({ port, host: "127.0.0.1", noDelay: true })
  const { split } = splitter()
  let waiting: Array<(reply: Buffer) => void> = []
  let first = 0
  let unsent: Array<Buffer> = []
  socket.on("data", (chunk: Buffer) => {
    const replies: Array<Buffer> = []
    split(chunk, replies)
    for (const reply of replies) waiting[first++]?.(reply)
    if (first < 1024) return
    waiting = waiting.slice(first)
    first = 0
  })
  const flush = () => {
    for (const part of frame(unsent)) socket.write(part)
    unsent = []
  }
  return (message) =>
    new Promise((resolve) => {
      waiting.push(resolve)
      if (unsent.push(message) === 1) queueMicrotask(flush)
    })
}

const converse = async (call: (message: Buffer) => Promise<Buffer>): Promise<void> => {
  while (true) {
    const message = nextMessage()
    check(message, await call(message))
  }
}

for (let i = 0; i < connections; i++) {
  const call = connect()
  for (let j = 0; j < depth; j++) void converse(call)
}
await measure()

/**
 * `node:net` written with care: partial frames, the replies of one read in one write, no more reading than the peer takes
 * replies.
 */
import * as Net from "node:net"
import * as Tls from "node:tls"
import { keyPair, listening, service } from "./control.ts"
import { frames } from "./frames.ts"

const { answer, splitter } = frames[service]

const open = new Set<Net.Socket>()

const serve = (socket: Net.Socket) => {
  const { split } = splitter()
  open.add(socket)
  socket.on("data", (chunk: Buffer) => {
    const messages: Array<Buffer> = []
    split(chunk, messages)
    if (messages.length === 0) return
    const replies = answer(messages)
    if (replies.length > 1) socket.cork()
    for (const reply of replies) socket.write(reply)
    if (replies.length > 1) socket.uncork()
    if (socket.writableNeedDrain) socket.pause()
  })
  socket.on("drain", () => socket.resume())
  socket.on("error", () => socket.destroy())
  socket.on("close", () => open.delete(socket))
}

const server = keyPair === undefined
  ? Net.createServer({ noDelay: true }, serve)
  : Tls.createServer({ noDelay: true, cert: keyPair.certificate, key: keyPair.key }, serve)

process.on("SIGTERM", () => {
  server.close(() => process.exit(0))
  for (const socket of open) socket.end()
})

server.listen(0, "127.0.0.1", () => listening((server.address() as Net.AddressInfo).port))

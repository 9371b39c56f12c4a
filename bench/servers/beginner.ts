/** `node:net` as it is written at first: the tail is joined to each chunk, and every reply is a write of its own. */
import * as Net from "node:net"
import { listening, service } from "./control.ts"

const server = Net.createServer((socket) => {
  let buffered: Buffer = Buffer.alloc(0)
  socket.on("data", (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk])
    if (service === "reverse") {
      const lines = buffered.toString().split("\n")
      buffered = Buffer.from(lines.pop() ?? "")
      for (const line of lines) socket.write(`${line.split("").reverse().join("")}\n`)
      return
    }
    while (buffered.length >= 4) {
      const size = buffered.readUInt32BE(0)
      if (buffered.length < 4 + size) break
      const head = Buffer.alloc(4)
      head.writeUInt32BE(size)
      socket.write(Buffer.concat([head, buffered.subarray(4, 4 + size)]))
      buffered = buffered.subarray(4 + size)
    }
  })
  socket.on("error", () => {})
})

server.listen(0, "127.0.0.1", () => listening((server.address() as Net.AddressInfo).port))

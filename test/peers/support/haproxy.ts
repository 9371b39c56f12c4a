/** HAProxy in front of something, for the time of a scope. */
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import * as Net from "node:net"
import { join } from "node:path"
import { folder, pemPath, says, startJoined } from "./programs.ts"

/** A certificate and its key in one file, as HAProxy wants them. */
const combine = (into: string, name: string): string => {
  const path = join(into, `${name}.combined.pem`)
  writeFileSync(path, readFileSync(pemPath(name), "utf8") + readFileSync(pemPath(`${name}.key`), "utf8"))
  return path
}

/** What a configuration may mention. */
export interface Place {
  /** The certificate `server` with its key. */
  readonly certificate: string
  /** Who issued the certificates of clients. */
  readonly ca: string
  /** For Unix sockets. */
  readonly folder: string
}

/** HAProxy with these sections behind the usual ones: it is listening, and says each change of a server's state. */
export const haproxy = Effect.fnUntraced(function*(sections: (place: Place) => string) {
  const path = yield* folder
  const config = join(path, "haproxy.cfg")
  const place = { certificate: combine(path, "server"), ca: pemPath("ca"), folder: path }
  writeFileSync(
    config,
    `global
  log stderr format raw local0
defaults
  mode tcp
  retries 0
  timeout connect 5s
  timeout client 20s
  timeout server 20s
${sections(place)}
`
  )
  const program = yield* startJoined("/usr/sbin/haproxy", "-W", "-db", "-f", config)
  yield* says(program, /Loading success/)
  return { program, place }
})

/** What somebody who only listens has heard of one connection. */
export interface Recording {
  readonly bytes: Buffer
  /** The other end, which is the proxy's. */
  readonly from: Net.AddressInfo
}

/** Listens and records what comes, up to each connection's end; answers nothing. */
export const recorder = Effect.gen(function*() {
  const recordings: Array<Recording> = []
  const waiting: Array<(recording: Recording) => void> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<Net.Server>((resume) => {
      const server = Net.createServer({ allowHalfOpen: false }, (socket) => {
        const from = { address: socket.remoteAddress!, port: socket.remotePort!, family: socket.remoteFamily! }
        const chunks: Array<Buffer> = []
        socket.on("data", (chunk: Buffer) => void chunks.push(chunk)).on("error", () => {})
        socket.on("close", () => {
          const recording = { bytes: Buffer.concat(chunks), from }
          const next = waiting.shift()
          if (next === undefined) recordings.push(recording)
          else next(recording)
        })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )
  const { port } = server.address() as Net.AddressInfo // it listens on an address and a port
  /** The next connection, when it has ended. */
  const next = Effect.callback<Recording>((resume) => {
    const ready = recordings.shift()
    if (ready !== undefined) resume(Effect.succeed(ready))
    else waiting.push((recording) => resume(Effect.succeed(recording)))
  })
  return { port, next }
})

/** Four processes of plain `node:net`, as Node shares a port between them: what more processes cost without hawser. */
import cluster from "node:cluster"
import { listening } from "./control.ts"

const processes = 4

if (cluster.isPrimary) {
  let missing = processes
  cluster.setupPrimary({ silent: true })
  cluster.on("listening", (_, { port }) => {
    if (--missing === 0) listening(port)
  })
  for (let i = 0; i < processes; i++) cluster.fork()
} else {
  await import("./plain.ts")
}

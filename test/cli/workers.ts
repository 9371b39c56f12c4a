/** `hawser serve --workers` as a process, its workers, and clients of each of them. */
import { Client, hawser, type Program } from "./process.ts"

/** A server with workers. */
export interface Supervised {
  readonly server: Program
  readonly port: number
  /** The numbers of the workers' processes, in their order. */
  readonly processIds: ReadonlyArray<number>
}

/** The numbers of the processes that a supervisor has started. */
export const processIdsOf = (server: Program, workers: number): Promise<ReadonlyArray<number>> => {
  const all = Array.from({ length: workers }, (_, n) => new RegExp(`worker ${n + 1} is process (\\d+)\\n`))
  return Promise.all(all.map(async (pattern) => Number((await server.warns(pattern))[1])))
}

/** Starts `hawser serve` with two workers on a free port, and waits until they listen. */
export const supervise = async (
  args: ReadonlyArray<string>,
  env?: Readonly<Record<string, string>>
): Promise<Supervised> => {
  const server = hawser(["serve", ...args, "--workers", "2", "--port", "0", "--verbose"], env)
  const [, port] = await server.says(/t(?:cp|ls):\/\/[^:]+:(\d+)/)
  return { server, port: Number(port), processIds: await processIdsOf(server, 2) }
}

/** Far beyond any luck: so many clients of one worker out of two are seen once in 2^200 runs. */
const maxClients = 200

/** Clients of a server with `--json`, of which each worker has at least one; and which worker has whom. */
export class Clients implements Disposable {
  /** The first client of each worker. */
  readonly of = new Map<number, Client>()
  readonly all: Array<Client> = []

  /** Dials until each of so many workers has somebody. */
  static async everywhere({ port, server }: Supervised, workers = 2): Promise<Clients> {
    const clients = new Clients()
    while (clients.of.size < workers && clients.all.length < maxClients) {
      const client = await Client.dial(port)
      clients.all.push(client)
      const accepted = new RegExp(
        `"event":"Accepted","worker":(\\d+),"id":\\d+,"peer":"tcp://127.0.0.1:${client.port}"`
      )
      const worker = Number((await server.says(accepted))[1])
      if (!clients.of.has(worker)) clients.of.set(worker, client)
    }
    return clients
  }

  [Symbol.dispose](): void {
    for (const client of this.all) client[Symbol.dispose]()
  }
}

/** What was printed with `--json`, without times and without what a port of its own makes different. */
export const events = (stdout: string): ReadonlyArray<Record<string, unknown>> =>
  stdout.trimEnd().split("\n").map((line) => JSON.parse(line))

/** Whether a process is there. */
export const isAlive = (processId: number): boolean => {
  try {
    return process.kill(processId, 0)
  } catch {
    return false
  }
}

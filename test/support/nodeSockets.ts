/** Every socket that Node makes while a test looks, and what still runs when it is over. */
import { assert } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import type { Socket } from "node:net"

/** Sockets by how often each said that it closed. */
export class Sockets {
  readonly closes = new Map<Socket, number>()

  /** How many were made. */
  get made(): number {
    return this.closes.size
  }

  /** How many have not closed. */
  get open(): number {
    return Array.from(this.closes.values()).filter((count) => count === 0).length
  }

  /** How many closed more than once. */
  get closedAgain(): number {
    return Array.from(this.closes.values()).filter((count) => count > 1).length
  }

  readonly add = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket } // what the two channels of node:net carry
    if (this.closes.has(socket)) return
    this.closes.set(socket, 0)
    socket.on("close", () => this.closes.set(socket, (this.closes.get(socket) ?? 0) + 1))
  }
}

const channels = ["net.client.socket", "net.server.socket"]

/** Runs with a look at every socket that is made meanwhile. */
export const watching = <A, E, R>(use: (sockets: Sockets) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const sockets = new Sockets()
      for (const channel of channels) subscribe(channel, sockets.add)
      return sockets
    }),
    use,
    (sockets) =>
      Effect.sync(() => {
        for (const channel of channels) unsubscribe(channel, sockets.add)
      })
  )

const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Gives turns of the event loop until it is so. */
export const until = Effect.fnUntraced(function*(what: string, holds: () => boolean) {
  for (let left = 100_000; !holds(); left--) {
    if (left === 0) return assert.fail(`did not happen: ${what}`)
    yield* turn
  }
})

/** How many sockets, listeners and lookups keep the process alive. */
export const resources = (): number => count(/^(?:TCP|Pipe.*Server|PipeConnect|GetAddrInfo)/)

/** How many timers run. */
export const timers = (): number => count(/^Timeout/)

const count = (kind: RegExp): number => process.getActiveResourcesInfo().filter((name) => kind.test(name)).length

/** Runs an effect and counts the fibers that it started and that are not over. */
export const countingFibers = <A, E, R>(
  use: (running: () => number) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let running = 0
    return Effect.provideService(use(() => running), Metric.FiberRuntimeMetrics, {
      recordFiberStart: () => {
        running++
      },
      recordFiberEnd: () => {
        running--
      }
    })
  })

/**
 * One of Effect's sockets that dials: the connections that are open, and the writes that wait for one.
 *
 * Invariant: `links` holds the link of every open reader, the newest last; a write goes to that one.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type * as Connection from "../Connection.ts"
import { park, type Resume } from "./outbox.ts"
import { SocketLink } from "./socketLink.ts"

export class DialledSocket {
  readonly socket: Socket.Socket
  private readonly links: Array<SocketLink> = []
  private waiting: Array<Resume<void, never>> = []

  constructor(dial: Effect.Effect<Connection.Connection<Uint8Array>, Socket.SocketError, Scope.Scope>) {
    const write = (link: (link: SocketLink) => Effect.Effect<void, Socket.SocketError>) => this.whenOpen(link)
    const writer: Socket.Writer = {
      write: (chunk) => write((link) => link.write(chunk)),
      writeAll: (batch) => write((link) => link.writeAll(batch))
    }
    this.socket = Socket.make({
      reader: Effect.flatMap(dial, (connection) => this.opened(new SocketLink(connection))),
      writer: Effect.acquireRelease(
        Effect.succeed(writer),
        () => Effect.suspend(() => this.links.at(-1)?.finish ?? Effect.void)
      )
    })
  }

  private opened(link: SocketLink): Effect.Effect<Socket.Reader, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => {
        this.links.push(link)
        // A handshake is what the fiber that dialled writes before it waits; those who waited come after it.
        queueMicrotask(() => this.wake())
        return link.reader
      }),
      () => {
        this.links.splice(this.links.indexOf(link), 1)
        return link.close()
      }
    )
  }

  private wake(): void {
    if (this.links.length === 0) return
    const { waiting } = this
    this.waiting = []
    for (const resume of waiting) resume(Exit.void)
  }

  private whenOpen<E>(write: (link: SocketLink) => Effect.Effect<void, E>): Effect.Effect<void, E> {
    return Effect.suspend(() => {
      const link = this.links.at(-1)
      return link === undefined ? Effect.flatMap(this.next, () => this.whenOpen(write)) : write(link)
    })
  }

  private get next(): Effect.Effect<void> {
    return Effect.callback((resume) => this.links.length > 0 ? resume(Exit.void) : park(this.waiting, resume))
  }
}

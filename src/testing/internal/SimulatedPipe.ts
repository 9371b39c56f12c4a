/**
 * One direction of a simulated connection: what was written, what is under way, and what waits for the reader.
 *
 * ```
 * write --> queue --window, cut--> flight --> arrive --> unread --> onData
 *             ^                                            |
 *             `---------- acknowledged: room in the window <'
 * ```
 *
 * Invariants: what arrived is a prefix of what was written. After an end nothing is sent but, once, a reset. There is a
 * timer only while something is under way on an open route, while a writer waits for an acknowledgement, or while it
 * waits to give up.
 *
 * @since 0.1.0
 */
import type * as Random from "../Random.ts"
import { drawSegment } from "../SimulatedLink.ts"
import { type ByteFault, ByteFaults } from "./ByteFaults.ts"
import { ByteQueue } from "./ByteQueue.ts"
import type { SimulatedCore } from "./SimulatedCore.ts"
import { bytesOf, type Segment, SimulatedFlight } from "./SimulatedFlight.ts"
import type { SimulatedRoute } from "./SimulatedRoute.ts"
import type { SimulatedSocket } from "./SimulatedSocket.ts"

/** What Node reads at once. */
const maxReadBytes = 65_536

/** Acknowledgements that nobody waits for are counted when there are so many. */
const maxAcks = 64

/** The two ends of a pipe, and what happens to both at once. @category models @since 0.1.0 */
export interface Ends {
  readonly id: number
  readonly writer: SimulatedSocket
  readonly reader: SimulatedSocket
  /** The handshake is over. */
  readonly opened: () => void
  /** A fault ends the connection in this direction. */
  readonly broken: (seenAs: "reset" | "end") => void
}

/** One direction of a connection. @category models @since 0.1.0 */
export class SimulatedPipe {
  readonly route: SimulatedRoute
  /** Written, and not under way for want of window. */
  readonly queue = new ByteQueue()
  /** Arrived, and not read. */
  readonly unread = new ByteQueue()
  readonly flight: SimulatedFlight
  readonly ends: Ends
  /** The writer's end arrived. */
  ended = false
  /** Bytes that left, that arrived and that were read, from the beginning. */
  sentBytes = 0
  arrivedBytes = 0
  readBytes = 0
  /** Under way, unread, or read and not acknowledged: what the window has no more room for. */
  heldBytes = 0
  /** The way of the acknowledgements. */
  readonly back: SimulatedRoute
  private readonly core: SimulatedCore
  private readonly random: () => Random.Random
  private stream: Random.Random | undefined = undefined
  private segments = 0
  private acks: Array<{ due: number; bytes: number }> = []
  private ending = false
  private sealed: "end" | "reset" | undefined = undefined
  private readonly faults = new ByteFaults()
  /** A fault ends it here: what comes behind is lost. */
  private stopped = false
  private ackTimer: (() => void) | undefined = undefined
  private patience: (() => void) | undefined = undefined

  /** `label` names the stream of random numbers. */
  constructor(core: SimulatedCore, ends: Ends, label: string, route: SimulatedRoute, back: SimulatedRoute) {
    this.core = core
    this.ends = ends
    this.route = route
    this.back = back
    this.random = () => this.stream ??= core.random.fork(label)
    this.flight = new SimulatedFlight(core, route, this.random, (segment, doomed) => this.receive(segment, doomed))
  }

  /** Everything, and the end if there is one, is under way. */
  get isFlushed(): boolean {
    return this.queue.bytes === 0
  }

  // --- the writer's side -------------------------------------------------------------------------------------------

  write(bytes: Uint8Array): void {
    this.queue.push(bytes)
    this.pump()
  }

  /** Ends after all that was written. */
  end(): void {
    this.ending = true
    this.pump()
  }

  /** The writer is gone, and with it what is not under way; `silent` tells the reader nothing. */
  close(how: "end" | "reset" | "silent"): void {
    this.queue.clear()
    this.acks = []
    this.ackTimer?.()
    this.ackTimer = undefined
    if (how === "end") this.end()
    else if (how === "silent") this.sealed ??= "end"
    else if (this.sealed !== "reset") {
      this.sealed = "reset"
      this.core.note("resets", this)
      this.flight.send("reset")
    }
    this.wait()
  }

  /** Sends what the window has room for. */
  private pump(): void {
    const { queue } = this
    const { windowBytes } = this.route.settings
    const steady = this.route.isSteady
    while (queue.bytes > 0) {
      if (this.heldBytes >= windowBytes) this.settleAcks()
      const room = Math.min(queue.bytes, windowBytes - this.heldBytes)
      if (room <= 0) break
      const size = steady ? room : drawSegment(this.route.settings, this.segments++, room, this.random)
      const bytes = queue.take(size)
      this.core.note("sends", this, size, this.sentBytes)
      this.sentBytes += size
      this.heldBytes += size
      this.flight.send("data", bytes, !steady)
    }
    if (queue.bytes > 0) this.awaitAck()
    else if (this.ending && this.sealed === undefined) {
      this.sealed = "end"
      this.flight.send("end")
    }
    if (this.route.frozen) this.wait()
  }

  /** The reader took bytes. */
  private acknowledge(bytes: number): void {
    if (this.ends.writer.isClosed) return
    const due = this.core.now() + this.back.ackMillis
    const last = this.acks.at(-1)
    if (last !== undefined && last.due === due) last.bytes += bytes
    else this.acks.push({ due, bytes })
    if (this.queue.bytes > 0) this.awaitAck()
    else if (this.acks.length >= maxAcks) this.settleAcks()
  }

  /** Makes room for what is acknowledged by now. */
  private settleAcks(until = this.core.now()): void {
    if (this.back.frozen) return
    let count = 0
    for (const ack of this.acks) {
      if (ack.due > until) break
      this.heldBytes -= ack.bytes
      count++
    }
    if (count > 0) this.acks.splice(0, count)
  }

  private awaitAck(): void {
    const first = this.acks[0]
    if (this.back.frozen) return this.wait()
    if (first === undefined || this.ackTimer !== undefined) return
    this.ackTimer = this.core.at(first.due, () => {
      this.ackTimer = undefined
      this.settleAcks(Math.max(this.core.now(), first.due))
      this.pump()
      if (this.isFlushed) this.ends.writer.turn()
    })
  }

  // --- the reader's side -------------------------------------------------------------------------------------------

  private receive(segment: Segment, doomed: boolean): void {
    const { reader } = this.ends
    const { resets } = this.route.settings
    // A reset that is there already destroys what the reader has not seen, a peaceful end too.
    const isLost = this.stopped || (doomed && resets === "reset")
    switch (segment.kind) {
      case "open":
        this.ends.opened()
        return this.breakAt(0)
      case "end":
        if (reader.isClosed || isLost) return
        this.ended = true
        return reader.turn()
      case "reset":
        return reader.onReset(resets)
      case "data":
        // Nobody is there any more: the host answers with a reset.
        if (reader.isClosed) return reader.answerReset()
        if (!isLost) this.receiveData(bytesOf(segment), segment.cut)
    }
  }

  private receiveData(all: Uint8Array, cut: boolean): void {
    if (this.faults.isEmpty) {
      this.arrivedBytes += all.length
      return this.give(all, cut)
    }
    const stop = this.faults.stopBefore(this.arrivedBytes + all.length)
    const bytes = stop === undefined ? all : all.subarray(0, stop - this.arrivedBytes)
    for (const place of this.faults.spoil(bytes, this.arrivedBytes)) this.core.note("corrupted", this, 1, place)
    this.arrivedBytes += bytes.length
    this.give(bytes, cut)
    if (stop !== undefined) this.breakAt(stop)
  }

  /** Gives the reader what it takes now, in the pieces of the link, and keeps the rest. */
  private give(bytes: Uint8Array, cut: boolean): void {
    const { reader } = this.ends
    const { settings } = this.route
    let at = 0
    while (at < bytes.length && (reader.isFlowing || settings.unread === "keep") && !reader.isClosed) {
      const left = bytes.length - at
      const size = cut ? left : drawSegment(settings, this.segments++, left, this.random)
      const piece = size === bytes.length ? bytes : bytes.subarray(at, at + size)
      at += size
      if (reader.isFlowing) {
        this.took(size)
        reader.hear(piece)
      } else this.unread.push(piece)
    }
    if (at < bytes.length && !reader.isClosed) this.unread.push(at === 0 ? bytes : bytes.subarray(at))
  }

  /** What the reader reads next. */
  read(): Uint8Array {
    const chunk = this.route.settings.unread === "keep"
      ? this.unread.takeChunk(maxReadBytes)
      : this.unread.take(maxReadBytes)
    this.took(chunk.length)
    return chunk
  }

  private took(bytes: number): void {
    this.core.note("reads", this, bytes, this.readBytes)
    this.readBytes += bytes
    this.acknowledge(bytes)
  }

  // --- faults ------------------------------------------------------------------------------------------------------

  /** One for bytes that have passed never happens. */
  addFault(fault: ByteFault): void {
    if (fault.atByte < this.arrivedBytes) return
    this.faults.add(fault)
    if (this.arrivedBytes > 0) this.breakAt(this.arrivedBytes)
  }

  private breakAt(byte: number): void {
    const seenAs = this.faults.takeStop(byte)
    if (seenAs === undefined) return
    this.stopped = true
    // In a turn of its own: a reader that is to hear of the bytes before it in its next turn still does.
    this.core.at(this.core.now(), () => this.ends.broken(seenAs))
  }

  /** This direction, or the way of its acknowledgements, was frozen or opened; `isRoute` tells which. */
  changed(isRoute: boolean): void {
    if (isRoute && this.route.frozen) this.flight.freeze()
    else if (isRoute) this.flight.thaw()
    else if (this.back.frozen) {
      this.ackTimer?.()
      this.ackTimer = undefined
    } else {
      const soonest = this.core.now() + this.back.ackMillis
      for (const ack of this.acks) if (ack.due < soonest) ack.due = soonest
      if (this.queue.bytes > 0) this.awaitAck()
    }
    this.wait()
  }

  /** Who is not answered gives up in the end, as a kernel does; without a partition, a peer that is there answers. */
  private wait(): void {
    const unanswered = !this.ends.writer.isClosed &&
      ((this.route.frozen && !this.flight.isEmpty) || (this.back.frozen && this.queue.bytes > 0))
    if (unanswered === (this.patience !== undefined)) return
    this.patience?.()
    this.patience = unanswered
      ? this.core.at(this.core.now() + this.core.giveUpMillis, () => {
        this.patience = undefined
        this.core.note("timesOut", this)
        this.ends.writer.lose("ETIMEDOUT")
      })
      : undefined
  }

  /** Both ends are gone, and with them their timers: what is under way has nowhere to go. */
  dispose(): void {
    this.flight.clear()
  }
}

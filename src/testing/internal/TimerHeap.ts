/**
 * Callbacks by their time: a binary heap from which any of them can be taken.
 *
 * ```
 * add(5, a) add(2, b) add(5, c)   -->   first: b, then a, then c         equal times in the order of adding
 * ```
 *
 * Invariant: `index` of a timer in the heap is its place there, and -1 when it is not in it; so a timer that was
 * cancelled leaves at once, in logarithmic time, and a long wait that never happens holds no memory.
 *
 * @since 0.1.0
 */

/** A callback with its time. @category models @since 0.1.0 */
export interface Timer {
  readonly time: number
  readonly run: () => void
}

interface Entry extends Timer {
  readonly order: number
  index: number
}

/** Callbacks, the earliest first. @category models @since 0.1.0 */
export class TimerHeap {
  private entries: Array<Entry> = []
  private added = 0

  get size(): number {
    return this.entries.length
  }

  /** The earliest, of equal ones the one that was added first. */
  get first(): Timer | undefined {
    return this.entries[0]
  }

  add(time: number, run: () => void): Timer {
    const entry = { time, run, order: this.added++, index: this.entries.length }
    this.entries.push(entry)
    this.up(entry)
    return entry
  }

  /** Takes a timer of this heap out; says whether it was still in it. */
  remove(timer: Timer): boolean {
    const entry = timer as Entry // add gave it
    const { index } = entry
    if (index < 0) return false
    entry.index = -1
    const last = this.entries.pop() as Entry // the timer is in it, so it is not empty
    if (last === entry) return true
    last.index = index
    this.entries[index] = last
    this.up(last)
    this.down(last)
    return true
  }

  clear(): void {
    for (const entry of this.entries) entry.index = -1
    this.entries = []
  }

  private up(entry: Entry): void {
    const { entries } = this
    let at = entry.index
    while (at > 0) {
      const parentAt = (at - 1) >> 1
      const parent = entries[parentAt] as Entry // inside: below at
      if (!isBefore(entry, parent)) break
      entries[at] = parent
      parent.index = at
      at = parentAt
    }
    entries[at] = entry
    entry.index = at
  }

  private down(entry: Entry): void {
    const { entries } = this
    const { length } = entries
    let at = entry.index
    for (;;) {
      let childAt = 2 * at + 1
      if (childAt >= length) break
      let child = entries[childAt] as Entry // inside: looked just before
      const right = entries[childAt + 1]
      if (right !== undefined && isBefore(right, child)) {
        child = right
        childAt++
      }
      if (!isBefore(child, entry)) break
      entries[at] = child
      child.index = at
      at = childAt
    }
    entries[at] = entry
    entry.index = at
  }
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.time < other.time || (one.time === other.time && one.order < other.order)

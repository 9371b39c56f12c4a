/**
 * A binary heap of what is due, the first in front; each member knows its index, so that it can move and leave.
 *
 * Members come in about the order in which they are due: then coming costs one comparison.
 */

/** A member; `index` is -1 while it is in no heap. */
export interface Due {
  index: number
  due: number
}

export const first = <A extends Due>(heap: ReadonlyArray<A>): A | undefined => heap[0]

export const add = <A extends Due>(heap: Array<A>, member: A): void => {
  member.index = heap.length
  heap.push(member)
  swim(heap, member)
}

export const remove = <A extends Due>(heap: Array<A>, member: A): void => {
  const last = heap.pop()
  if (last !== undefined && last !== member) {
    put(heap, last, member.index)
    swim(heap, last)
    sink(heap, last)
  }
  member.index = -1
}

/** Moves a member forward whose `due` became earlier. */
export const swim = <A extends Due>(heap: Array<A>, member: A): void => {
  let at = member.index
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = heap[above] as A // above is in front of at
    if (parent.due <= member.due) break
    put(heap, parent, at)
    at = above
  }
  put(heap, member, at)
}

/** Moves a member back whose `due` became later. */
export const sink = <A extends Due>(heap: Array<A>, member: A): void => {
  let at = member.index
  for (;;) {
    const left = heap[2 * at + 1]
    if (left === undefined) break
    const right = heap[2 * at + 2]
    const below = right !== undefined && right.due < left.due ? right : left
    if (member.due <= below.due) break
    const next = below.index
    put(heap, below, at)
    at = next
  }
  put(heap, member, at)
}

const put = <A extends Due>(heap: Array<A>, member: A, index: number): void => {
  heap[index] = member
  member.index = index
}

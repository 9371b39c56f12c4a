/**
 * A queue whose members know their neighbours: anybody may leave it, from the middle too, and nothing is allocated.
 *
 * ```
 * shift <-- first <--> ... <--> last <-- push
 *                  `-- delete
 * ```
 *
 * Who leaves forgets its neighbours. Otherwise one that the garbage collector already counts as old would keep the next
 * one from the quick collections, that one the one behind it, and so on without an end.
 *
 * In calls-1x64 a client's calls cost 12 % more in an array, where each one that leaves moves the others.
 *
 * **Gotchas**: `delete` believes that the member is in this line.
 */

/** A member, of one line at most; its neighbours are the line's. */
export interface InLine<A> {
  before: A | undefined
  behind: A | undefined
}

export class Line<A extends InLine<A>> {
  first: A | undefined = undefined
  size = 0
  private last: A | undefined = undefined

  /** Takes in who is in no line. */
  push(member: A): void {
    const { last } = this
    if (last === undefined) this.first = member
    else last.behind = member
    member.before = last
    this.last = member
    this.size++
  }

  /** Takes the first one out. */
  shift(): A | undefined {
    const { first } = this
    if (first !== undefined) this.delete(first)
    return first
  }

  delete(member: A): void {
    const { before, behind } = member
    if (before === undefined) this.first = behind
    else before.behind = behind
    if (behind === undefined) this.last = before
    else behind.before = before
    member.before = undefined
    member.behind = undefined
    this.size--
  }
}

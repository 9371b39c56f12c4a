/**
 * What is runnable: the tasks of all dispatchers of one scheduler, in the order in which they came.
 *
 * Effect gives each fiber a dispatcher of its own, and a priority is meant among the tasks of one dispatcher: a task
 * waits while that dispatcher has one with a lower number. So each dispatcher has a `Lane`, and only the tasks of its
 * lowest number are ready; the others are held back.
 *
 * ```
 * lane 1:  [0 0]  held [5]        ready: 0 0 .  .      take(any index) --> run
 * lane 2:  [3]                           . . 3
 * ```
 *
 * @since 0.1.0
 */

/** One thing to run. `rank` belongs to whoever picks. @category models @since 0.1.0 */
export interface Task {
  readonly run: () => void
  readonly priority: number
  readonly lane: Lane
  rank: number
}

/** The tasks of one dispatcher. @category models @since 0.1.0 */
export interface Lane {
  /** The number that its ready tasks have. */
  priority: number
  ready: number
  held: Array<Task>
}

/** The lane of a new dispatcher. @category constructors @since 0.1.0 */
export const makeLane = (): Lane => ({ priority: 0, ready: 0, held: [] })

/** The tasks of all dispatchers of a scheduler. @category models @since 0.1.0 */
export class RunQueue {
  /** What may run next, first come first. Only `add` and `take` change it. */
  readonly ready: Array<Task> = []

  /** Takes a task in; says whether it is ready at once. */
  add(task: Task): boolean {
    const { lane } = task
    if (lane.ready === 0) {
      lane.priority = task.priority
    } else if (task.priority > lane.priority) {
      lane.held.push(task)
      return false
    } else if (task.priority < lane.priority) {
      const demoted = this.ready.filter((other) => other.lane === lane)
      lane.held.push(...demoted)
      for (const other of demoted) this.ready.splice(this.ready.indexOf(other), 1)
      lane.priority = task.priority
      lane.ready = 0
    }
    lane.ready++
    this.ready.push(task)
    return true
  }

  /** Takes out the ready task at this index; the others keep their order. */
  take(index: number): Task {
    const task = index === 0 ? this.ready.shift()! : this.ready.splice(index, 1)[0]!
    const { lane } = task
    lane.ready--
    if (lane.ready === 0 && lane.held.length > 0) this.release(lane)
    return task
  }

  private release(lane: Lane): void {
    const { held } = lane
    const lowest = Math.min(...held.map((task) => task.priority))
    lane.held = held.filter((task) => task.priority !== lowest)
    lane.priority = lowest
    for (const task of held) {
      if (task.priority !== lowest) continue
      lane.ready++
      this.ready.push(task)
    }
  }
}

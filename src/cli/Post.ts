/**
 * The post of a worker: which one it is, and its line to the supervisor. Any other process has none.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as WorkerMessage from "./WorkerMessage.ts"

/** Which worker a process is. @category models @since 0.1.0 */
export interface Place {
  /** Counts from 1. */
  readonly worker: number
  readonly workers: number
  /** Whether what is printed in the end may be coloured. */
  readonly colours: boolean
}

/** A place, and the line from there. @category models @since 0.1.0 */
export interface Post extends Place {
  /** Waits until the supervisor says where to listen. */
  readonly toListen: Effect.Effect<WorkerMessage.Listen>
  /** Says something, and never waits; `onSent` is called when it is on its way, or nobody is there to hear it. */
  readonly tell: (news: WorkerMessage.News, onSent?: () => void) => void
}

/** The post of this process. @category services @since 0.1.0 */
export class CurrentPost extends Context.Reference<Post | undefined>("hawser/cli/CurrentPost", {
  defaultValue: () => undefined
}) {}

/**
 * The variable that tells a process its place: `2/4`, or `2/4,colours`.
 *
 * No setting has this variable, because a flag's name does not begin with a dash. It counts only for a process that has a
 * channel to its parent besides, and is removed as soon as it is read.
 *
 * @category constants
 * @since 0.1.0
 */
export const variable = "HAWSER__WORKER"

/** A place as the variable tells it. @category formatting @since 0.1.0 */
export const format = ({ colours, worker, workers }: Place): string =>
  `${worker}/${workers}${colours ? ",colours" : ""}`

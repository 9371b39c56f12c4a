/**
 * Tests against a model: the same commands are given to the real thing and to a simple model of it, and both must agree.
 *
 * A failing sequence shrinks to the fewest and smallest commands that still disagree.
 *
 * ```
 * commands        put("a", 1)   get("a")   remove("a")   get("a")
 * model           ok            1          ok            none
 * real            ok            1          ok            1           <-- broken; what is left: put, remove, get
 * ```
 *
 * **Example**
 *
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { NetArbitrary } from "hawser/testing"
 *
 * export const agrees = NetArbitrary.runModel({
 *   name: "counter",
 *   commands: { add: Schema.Int, read: Schema.Void },
 *   initial: 0,
 *   real: Effect.sync(() => ({ sum: 0 })),
 *   steps: {
 *     add: { model: (sum, n) => [sum + n, undefined], real: (real, n) => Effect.sync(() => void (real.sum += n)) },
 *     read: { model: (sum) => [sum, sum], real: (real) => Effect.sync(() => real.sum) }
 *   }
 * }) // Effect<void, LawViolation>
 * ```
 *
 * **Gotchas**: the real thing is made anew for each sequence, also while shrinking, for the time of a scope.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { show } from "../../internal/codecReader.ts"
import * as Law from "../Law.ts"
import * as Draw from "./Draw.ts"

/** The commands there are: a name for each, and where its input comes from. @category models @since 0.1.0 */
export type Inputs = Readonly<Record<string, Law.Input<unknown>>>

/** What an input is. @category models @since 0.1.0 */
type InputOf<I> = I extends Law.Input<infer A> ? A : never

/** One command with its input. @category models @since 0.1.0 */
export type Command<I extends Inputs> = {
  readonly [K in keyof I & string]: { readonly _tag: K; readonly input: InputOf<I[K]> }
}[keyof I & string]

/** One kind of command, done to both. @category models @since 0.1.0 */
export interface Step<in Input, in out State, in Real, out R> {
  /** Whether it makes sense now; where it does not, the command is left out. @default always */
  readonly when?: ((state: State, input: Input) => boolean) | undefined
  /** The next state of the model, and what the real thing must give. */
  readonly model: (state: State, input: Input) => readonly [state: State, gives: unknown]
  /** Does it. A failure is a disagreement: where one is expected, make a value of it, as `Effect.flip` does. */
  readonly real: (real: Real, input: Input) => Effect.Effect<unknown, unknown, R>
}

/** A model, the real thing, and what is done to both. @category models @since 0.1.0 */
export interface Model<I extends Inputs, State, Real, R> {
  readonly name: string
  readonly commands: I
  /** @default as many as the size of the run */
  readonly maxCommands?: number | undefined
  readonly initial: State
  readonly real: Effect.Effect<Real, unknown, R | Scope.Scope>
  readonly steps: { readonly [K in keyof I & string]: Step<InputOf<I[K]>, State, Real, R | Scope.Scope> }
  readonly options?: Law.Options | undefined
}

/**
 * Sequences of commands.
 *
 * **Details**
 * - Shape: `{ _tag, input }`; the first command of the record is the simplest.
 * - Errors: throws a `RangeError` when there is no command.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const commands = <const I extends Inputs>(
  inputs: I,
  options: { readonly maxCommands?: number | undefined } = {}
): Arbitrary.Arbitrary<ReadonlyArray<Command<I>>> => {
  const [first, ...rest] = Object.entries(inputs).map(([_tag, input]) =>
    // Object.entries forgets which name has which input; _tag and input are of one entry.
    Arbitrary.map(Law.fromInput(input), (input) => ({ _tag, input }) as Command<I>)
  )
  if (first === undefined) throw new RangeError("commands needs at least one command, got none")
  return Arbitrary.array(Draw.oneOf([first, ...rest]), { maxLength: options.maxCommands })
}

/**
 * Gives sequences of commands to a model and to the real thing; succeeds when both agreed all along.
 *
 * **Details**
 * - Errors: the violation has the commands as its `counterexample`, and a `replay` token for `options`.
 *
 * @category running
 * @since 0.1.0
 */
export const runModel = <const I extends Inputs, State, Real, R>(
  model: Model<I, State, Real, R>
): Effect.Effect<void, Law.LawViolation, Exclude<R, Scope.Scope>> =>
  Law.check(
    model.name,
    commands(model.commands, { maxCommands: model.maxCommands }),
    (sequence) => Effect.scoped(sideBySide(model, sequence)),
    model.options
  )

const sideBySide = Effect.fnUntraced(function*<I extends Inputs, State, Real, R>(
  model: Model<I, State, Real, R>,
  sequence: ReadonlyArray<Command<I>>
): Effect.fn.Return<void, string, R | Scope.Scope> {
  const real = yield* Effect.mapError(model.real, (error) => `the real thing did not start: ${show(error)}`)
  let state = model.initial
  const done: Array<string> = []
  for (const { _tag, input } of sequence) {
    const step = model.steps[_tag]
    if (step.when?.(state, input) === false) continue
    const [next, gives] = step.model(state, input)
    const exit = yield* Effect.exit(step.real(real, input))
    const after = done.length === 0 ? "" : ` after ${done.join(", ")}`
    const command = `${_tag}(${show(input)})`
    if (Exit.isFailure(exit)) {
      return yield* Effect.fail(`${command}${after} failed with ${show(Cause.squash(exit.cause))}`)
    }
    if (!Equal.equals(exit.value, gives)) {
      return yield* Effect.fail(`${command}${after} gave ${show(exit.value)}, the model says ${show(gives)}`)
    }
    state = next
    done.push(command)
  }
})

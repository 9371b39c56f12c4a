/**
 * Colours, where stdout is a terminal that shows them; `NO_COLOR` and `FORCE_COLOR` are respected.
 *
 * @since 0.1.0
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"

/** Ways to mark a part of a line. @category models @since 0.1.0 */
export interface Style {
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

const mark = (code: number) => (text: string): string => `\x1b[${code}m${text}\x1b[0m`
const same = (text: string): string => text

/** Marks nothing. @category constructors @since 0.1.0 */
export const plain: Style = { strong: same, faint: same, good: same, bad: same }

const coloured: Style = { strong: mark(1), faint: mark(2), good: mark(32), bad: mark(33) }

/** The style with colours, or without. @category constructors @since 0.1.0 */
export const make = (colours: boolean): Style => colours ? coloured : plain

/** Whether stdout shows colours. @category getters @since 0.1.0 */
export const hasColours: Effect.Effect<boolean> = TerminalCapabilities.TerminalCapabilities.useSync(({ canColor }) =>
  canColor
)

/** The style for stdout. @category constructors @since 0.1.0 */
export const current: Effect.Effect<Style> = Effect.map(hasColours, make)

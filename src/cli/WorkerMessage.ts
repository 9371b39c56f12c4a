/**
 * What a supervisor and its workers say to each other, besides the events that are printed.
 *
 * ```
 * worker                    supervisor
 *   Ready        ------>                     its settings are read
 *                <------    Listen           where; the first one looks whether anybody is there before it
 *   Listening    ------>                     with the ports that the system chose
 *                <------    Reload           any number of times
 *                <------    Drain            or the channel ends, because the supervisor did
 *   Draining     ------>
 *   Drained      ------>                     then it prints what is left, and ends
 *   Failed       ------>                     at any time; then it ends
 * ```
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"

const Endpoints = Schema.NonEmptyArray(Schema.String)

const Order = Schema.Union([
  Schema.TaggedStruct("Listen", { endpoints: Endpoints, isFirst: Schema.Boolean }),
  Schema.TaggedStruct("Reload", {}),
  Schema.TaggedStruct("Drain", {})
])

const News = Schema.Union([
  Schema.TaggedStruct("Ready", {}),
  Schema.TaggedStruct("Listening", { endpoints: Endpoints }),
  Schema.TaggedStruct("Draining", { open: Schema.Number }),
  Schema.TaggedStruct("Drained", {
    served: Schema.Number,
    drained: Schema.Number,
    forced: Schema.Number,
    refused: Schema.Number,
    elapsedMillis: Schema.Number
  }),
  Schema.TaggedStruct("Failed", {
    exitCode: Schema.Literals([1, 2, 3, 4]),
    message: Schema.String,
    hint: Schema.optionalKey(Schema.String)
  })
])

/** What a supervisor says. @category models @since 0.1.0 */
export type Order = typeof Order.Type

/** What a worker says. @category models @since 0.1.0 */
export type News = typeof News.Type

/** Where to listen. @category models @since 0.1.0 */
export type Listen = Extract<Order, { readonly _tag: "Listen" }>

/** How the drain of one worker went. @category models @since 0.1.0 */
export type Drained = Extract<News, { readonly _tag: "Drained" }>

/** Reads what came from a supervisor. @category parsing @since 0.1.0 */
export const toOrder: (message: unknown) => Option.Option<Order> = Schema.decodeUnknownOption(Order)

/** Reads what came from a worker. @category parsing @since 0.1.0 */
export const toNews: (message: unknown) => Option.Option<News> = Schema.decodeUnknownOption(News)

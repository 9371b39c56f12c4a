/** What goes over the channel between a supervisor and a worker comes out as it went in, and nothing else does. */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Post from "../../src/cli/Post.ts"
import * as WorkerMessage from "../../src/cli/WorkerMessage.ts"

/** As the channel writes and reads it. */
const sent = (message: object): unknown => JSON.parse(JSON.stringify(message))

it("each order is read", () => {
  const orders: Array<WorkerMessage.Order | undefined> = [
    { _tag: "Listen", endpoints: ["tcp://127.0.0.1:1", "tls://*:2"], isFirst: true },
    { _tag: "Listen", endpoints: ["tcp://127.0.0.1:1"], isFirst: false },
    { _tag: "Reload" },
    { _tag: "Drain" }
  ]
  assert.deepStrictEqual(orders.map((order) => WorkerMessage.toOrder(sent(order ?? {}))), orders)
})

it("all news are read", () => {
  const news: Array<WorkerMessage.News | undefined> = [
    { _tag: "Ready" },
    { _tag: "Listening", endpoints: ["tcp://127.0.0.1:1"] },
    { _tag: "Draining", open: 3 },
    { _tag: "Drained", served: 1, drained: 2, forced: 3, refused: 4, elapsedMillis: 5.5 },
    { _tag: "Failed", exitCode: 2, message: "no", hint: "try" },
    { _tag: "Failed", exitCode: 1, message: "no", hint: undefined }
  ]
  assert.deepStrictEqual(news.map((one) => WorkerMessage.toNews(sent(one ?? {}))), news)
})

it("anything else is nothing", () => {
  const others = [
    null,
    undefined,
    7,
    "Drain",
    {},
    { _tag: "Listen" },
    { _tag: "Listen", endpoints: [] },
    { _tag: "Listening", endpoints: "tcp://127.0.0.1:1" },
    { _tag: "Failed", exitCode: 9, message: "no" },
    { _tag: "Sink" }
  ]
  for (const other of others) {
    assert.isUndefined(WorkerMessage.toOrder(other))
    assert.isUndefined(WorkerMessage.toNews(other))
  }
})

it.prop(
  "no name of a flag gives the variable of a worker's place",
  { flag: Schema.String.check(Schema.isPattern(/^[a-z][a-z-]*$/)) },
  ({ flag }) => {
    assert.notStrictEqual(`HAWSER_${flag.toUpperCase().replaceAll("-", "_")}`, Post.variable)
  }
)

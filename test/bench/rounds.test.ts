/** Who is measured in which round, and who is left out. */
import { assert, it } from "@effect/vitest"
import { PeerFailure, WrongReply } from "../../bench/failures.ts"
import type { Measurement } from "../../bench/report.ts"
import { takeRounds } from "../../bench/rounds.ts"

const measurement = (rate: number): Measurement => ({ values: { rate }, noise: 0, repeats: 0 })
const peers = ["plain", "hawser", "go"]

/** Runs rounds in which some measurements fail, and lists those that were asked for. */
const run = async (
  failures: Readonly<Record<string, Error>>,
  { hasTime = () => true, rate = () => 100 }: { hasTime?: () => boolean; rate?: (round: number) => number } = {}
) => {
  const asked: Array<string> = []
  const seen = await takeRounds(peers, { least: 3, most: 5, hasTime }, (peer, round) => {
    asked.push(`${round} ${peer}`)
    const failure = failures[`${round} ${peer}`]
    return failure === undefined
      ? Promise.resolve(measurement(peer === "plain" ? 100 : rate(round)))
      : Promise.reject(failure)
  })
  return { asked, leftOut: seen.leftOut, rounds: seen.rounds.map((round) => Object.keys(round)) }
}

it("every round begins with another peer", async () => {
  assert.deepStrictEqual(await run({}), {
    asked: ["1 plain", "1 hawser", "1 go", "2 hawser", "2 go", "2 plain", "3 go", "3 plain", "3 hawser"],
    leftOut: [],
    rounds: [["plain", "hawser", "go"], ["hawser", "go", "plain"], ["go", "plain", "hawser"]]
  })
})

it("a peer that fails is left out of earlier rounds, too, and not asked again", async () => {
  assert.deepStrictEqual(await run({ "2 hawser": new PeerFailure("it died") }), {
    asked: ["1 plain", "1 hawser", "1 go", "2 hawser", "2 go", "2 plain", "3 plain", "3 go"],
    leftOut: [{ peer: "hawser", reason: "it died" }],
    rounds: [["plain", "go"], ["go", "plain"], ["plain", "go"]]
  })
})

it("there are no rounds without the reference", async () => {
  const failures = { "1 go": new PeerFailure("no threads"), "2 plain": new PeerFailure("reset") }
  assert.deepStrictEqual(await run(failures), {
    asked: ["1 plain", "1 hawser", "1 go", "2 hawser", "2 plain"],
    leftOut: [{ peer: "go", reason: "no threads" }, { peer: "plain", reason: "reset" }],
    rounds: []
  })
})

it("a wrong reply ends all", async () => {
  const wrong = new WrongReply("a byte")
  assert.strictEqual(await run({ "1 hawser": wrong }).catch((error: unknown) => error), wrong)
})

it("rounds are added while they disagree, up to the most and while there is time", async () => {
  const rate = (round: number) => round % 2 === 0 ? 100 : 200
  assert.strictEqual((await run({}, { rate })).rounds.length, 5)
  assert.strictEqual((await run({}, { rate, hasTime: () => false })).rounds.length, 3)
})

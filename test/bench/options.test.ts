/** What the command lines of the suite and of the attacks take, and how they refuse the rest. */
import { assert, describe, it } from "@effect/vitest"
import { beginning, Misuse, readArgs, writable } from "../../bench/commandLine.ts"
import { parse } from "../../bench/options.ts"
import { peers } from "../../bench/peers.ts"
import { scenarios } from "../../bench/scenarios.ts"

/** The sentence of a `Misuse`; anything else is thrown. */
const refusal = (effort: () => unknown): string => {
  try {
    effort()
  } catch (error) {
    if (error instanceof Misuse) return error.message
    throw error
  }
  return "taken"
}

describe("parse", () => {
  it("takes everything when nothing is asked for", () => {
    const { hasChecksums, maxRounds, peers: chosen, rounds, scenarios: wanted, time } = parse([])
    assert.deepStrictEqual({ hasChecksums, maxRounds, rounds, time }, {
      hasChecksums: true,
      maxRounds: 10,
      rounds: 5,
      time: { warmup: 2, seconds: 1.5 }
    })
    assert.deepStrictEqual(wanted, scenarios)
    assert.deepStrictEqual(chosen, peers)
  })

  it("takes beginnings of names, peers besides the reference, and numbers", () => {
    const asked = parse([
      "tls",
      "latency-64",
      "--peers",
      "go,hawser",
      "--rounds=2",
      "--max-rounds",
      "3",
      "--warmup",
      "0"
    ])
    assert.deepStrictEqual(asked.scenarios.map(({ name }) => name), ["tls-64x16", "tls-churn", "latency-64"])
    assert.deepStrictEqual(asked.peers.map(({ name }) => name), ["plain", "hawser", "go"])
    const { hasChecksums, maxRounds, rounds, time: { warmup } } = asked
    assert.deepStrictEqual([hasChecksums, rounds, maxRounds, warmup], [false, 2, 3, 0])
  })

  it.each([
    [["--nonsense"], "there is no option --nonsense"],
    [["-x"], "there is no option -x"],
    [["--constructor"], "there is no option --constructor"],
    [["--record=yes"], "--record takes no value, and got \"yes\""],
    [["--rounds"], "--rounds needs a value"],
    [["--json", "--record"], "--json needs a value, and got --record"],
    [["--rounds", "0"], "--rounds is a whole number from 1 on, and not \"0\""],
    [["--rounds", "x"], "--rounds is a whole number from 1 on, and not \"x\""],
    [["--rounds", "1.5"], "--rounds is a whole number from 1 on, and not \"1.5\""],
    [["--rounds="], "--rounds is a whole number from 1 on, and not \"\""],
    [["--max-rounds", "4"], "--max-rounds is a whole number from --rounds (5) on, and not \"4\""],
    [["--seconds", "0"], "--seconds is a number of seconds above 0, and not \"0\""],
    [["--seconds", "Infinity"], "--seconds is a number of seconds above 0, and not \"Infinity\""],
    [["--warmup= "], "--warmup is a number of seconds from 0 on, and not \" \""],
    [["framed", "nothing"], "no scenario begins with \"nothing\"; --list shows them"],
    [["--peers", "go,gopher"], `there is no peer "gopher"; there are ${peers.map(({ name }) => name).join(", ")}`],
    [["--tree", "/none"], "--tree \"/none\" is no working tree of hawser: it has no bench/servers/hawser.ts"],
    [["--html", "/none/x.html"], "--html \"/none/x.html\": there is no folder /none"]
  ])("refuses %j", (args, sentence) => assert.strictEqual(refusal(() => parse(args)), sentence))
})

describe("what is shared with the attacks", () => {
  it("refuses a folder where a file is written", () =>
    assert.strictEqual(refusal(() => writable("--json", "/")), "--json \"/\" is a folder, and not a file"))

  it("gives options their values, and names their order", () => {
    const { positionals, values } = readArgs(["a", "--json", "x", "b"], {
      json: { type: "string" },
      list: { type: "boolean", default: false }
    })
    assert.deepStrictEqual([positionals, { ...values }], [["a", "b"], { json: "x", list: false }])
  })

  it("chooses in the order of the list", () => {
    assert.deepStrictEqual(beginning("attack", ["slow-a", "flood", "slow-b"], ["flood", "slow"]), [
      "slow-a",
      "flood",
      "slow-b"
    ])
    assert.deepStrictEqual(beginning("attack", ["slow-a", "flood", "slow-b"], ["slow"]), ["slow-a", "slow-b"])
  })
})

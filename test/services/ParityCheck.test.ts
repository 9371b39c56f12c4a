import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Layer, Schema } from "effect"
import * as MemoryTransport from "../../src/MemoryTransport.ts"
import * as ParityCheck from "../../src/services/ParityCheck.ts"
import { exchange } from "./exchange.ts"

/** Some text that is no block. */
const text = Arbitrary.map(Arbitrary.schema(Schema.String), (text) => `${text.toWellFormed()}x`)

describe("parity", () => {
  it.each([
    ["HI", "010010000 010010011 000000011"],
    ["010010000 010010011 000000011", "No error found"],
    ["010010000 010110011 000000011", "Error in data: row 2, column 4"],
    ["110010000 010110011 000000011", "Error in data: rows 1 and 2, columns 1 and 4"],
    ["010010000 010010011 000000010", "Error in data: row 3, column 9"],
    ["010010000 01001001", "Error: each line must have 9 bits, got \"01001001\""],
    ["", "Error: there must be at least one character"],
    ["0110", "001100000 001100011 001100011 001100000 000000000"]
  ])("%j is answered", (request, answer) => {
    assert.strictEqual(ParityCheck.answer(request), answer)
  })

  it.prop("a block is found good, and with one bit flipped the place is told", {
    text,
    where: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })))
  }, ({ text, where }) => {
    const block = ParityCheck.answer(text)
    assert.strictEqual(ParityCheck.answer(block), "No error found")
    const rows = block.split(" ")
    const [row, column] = [Math.floor(where / 9) % rows.length, where % 9]
    const spoilt = rows.map((bits, i) =>
      i === row ? `${bits.slice(0, column)}${bits[column] === "0" ? "1" : "0"}${bits.slice(column + 1)}` : bits
    )
    assert.strictEqual(ParityCheck.answer(spoilt.join(" ")), `Error in data: row ${row + 1}, column ${column + 1}`)
  })

  it.effect("is served", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* exchange("memory:parity", "HI\n1 0"),
        "010010000 010010011 000000011\nError: a block has at least one line of bits and parity, and the LRC\n"
      )
    }).pipe(Effect.provide(ParityCheck.layer("memory:parity").pipe(Layer.provideMerge(MemoryTransport.layer)))))
})

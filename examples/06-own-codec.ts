// A codec of your own, for a wire you were given: depth soundings of three bytes, "D" and a big-endian number.
import { Console, Effect, Result, Schema } from "effect"
import { Codec, Framing } from "hawser"
import { CodecLaws } from "hawser/testing"

const Sounding = Schema.Struct({ fathoms: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff })) })

const soundings = Codec.mapResult(Framing.fixed({ frameBytes: 3 }), {
  decode: (frame) => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
    return view.getUint8(0) === 0x44
      ? Result.succeed({ fathoms: view.getUint16(1) })
      : Result.fail(`a sounding begins with D, got byte ${view.getUint8(0)}`)
  },
  encode: ({ fathoms }: typeof Sounding.Type) => Result.succeed(Uint8Array.of(0x44, fathoms >> 8, fathoms & 0xff))
})

const program = Effect.gen(function*() {
  // Round trip, any chunking, bounded memory, truncation and more, with generated soundings.
  yield* CodecLaws.all({ codec: soundings, messages: Sounding })
  yield* Console.log("the codec obeys the laws")

  // "attempt" makes results, so that one bad frame is not the end.
  const wire = Uint8Array.of(0x44, 0, 7, 0x58, 0, 0, 0x44, 1, 0)
  for (const item of Codec.decodeAll(Codec.attempt(soundings), wire).messages) {
    yield* Console.log(Result.isSuccess(item) ? `${item.success.fathoms} fathoms` : item.failure.message)
  }
})

await Effect.runPromise(program)

// Prints:
//   the codec obeys the laws
//   7 fathoms
//   a sounding begins with D, got byte 88
//   256 fathoms

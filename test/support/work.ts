/** A protocol unlike lines: frames with their length in front, JSON, schemas, and failures. */
import { Schema } from "effect"
import { Codec, Framing, Protocol } from "../../src/index.ts"

const Done = Schema.TaggedStruct("Done", { times: Schema.Int })
const Refused = Schema.TaggedStruct("Refused", { why: Schema.String })

const frames = Framing.lengthPrefixed({ maxFrameBytes: 100_000, widthBytes: 4 })

export const Work = Protocol.make("work", {
  request: Codec.json(frames, Schema.Struct({ times: Schema.Int })),
  response: Codec.json(frames, Schema.Union([Done, Refused])),
  failure: Refused,
  depth: 4,
  goodbye: { overLimit: Refused.make({ why: "full" }) }
})

/** Does what it is asked to, but not three times. */
export const answer = ({ times }: { readonly times: number }): typeof Done.Type | typeof Refused.Type =>
  times % 3 === 0 ? Refused.make({ why: `not ${times} times` }) : Done.make({ times })

/** What breaks the framing, and how that is called. */
export const bad = {
  "a frame that is too long": { bytes: Uint8Array.of(1, 0, 0, 0), reason: "FrameTooLarge" },
  "a frame that is no JSON": { bytes: Uint8Array.of(0, 0, 0, 1, 0x7b), reason: "FrameCorrupt" },
  "a frame that is cut short": { bytes: Uint8Array.of(0, 0, 0, 9, 0x7b), ends: true, reason: "FrameTruncated" }
} as const

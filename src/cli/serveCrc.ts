/**
 * The service `crc`: over chunks the tutorial's, otherwise the one that repairs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Checksum from "../Checksum.ts"
import * as CrcCheck from "../services/CrcCheck.ts"
import * as CrcAlgorithm from "./crcAlgorithm.ts"
import * as Failure from "./Failure.ts"
import type * as FramingFlag from "./FramingFlag.ts"
import type * as Services from "./services.ts"
import type * as Setting from "./Setting.ts"

/** The algorithm of `--crc`. @category conversions @since 0.1.0 */
export const algorithm = (
  framing: FramingFlag.Choice,
  crc: Setting.Given<string> | undefined
): Effect.Effect<Checksum.Checksum, Failure.Failure> => {
  if (crc === undefined) return Effect.succeed(CrcCheck.defaults.crc)
  return framing.guesses
    ? Effect.fail(Failure.local(`${crc.from} is not for --framing chunks, where the tutorial's key 1001 is used`))
    : Effect.fromResult(CrcAlgorithm.fromName(crc.value))
}

/** The service, which tells `onFinding` what it found. @category constructors @since 0.1.0 */
export const crc = Effect.fnUntraced(function*(
  framing: FramingFlag.Choice,
  name: Setting.Given<string> | undefined,
  onFinding: (finding: CrcCheck.Finding) => void
): Effect.fn.Return<Services.Served, Failure.Failure> {
  const crc = yield* algorithm(framing, name)
  if (framing.guesses) {
    return {
      framing: "lines",
      detail: `key ${CrcCheck.defaults.key}`,
      layer: (endpoints, options) => CrcCheck.layerTextbook(endpoints, { ...options, onFinding })
    }
  }
  const form = framing.isText ? "readable" : "binary"
  return {
    framing: "lines",
    detail: crc.name,
    isMute: true,
    layer: (endpoints, options) => CrcCheck.layer(endpoints, { ...options, crc, form, onFinding })
  }
})

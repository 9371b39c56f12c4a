/** The rounds of a scenario: each measures every peer once, in an order that changes from round to round. */
import { caught, PeerFailure } from "./failures.ts"
import { reference } from "./peers.ts"
import { type LeftOut, type Measurement, type Round, uncertainty } from "./report.ts"

/** Rounds are added while half of the ratios lie in a range wider than this share of the median. */
const maxUncertainty = 0.06

/** How many rounds there are. */
export interface Rounds {
  readonly least: number
  /** No more than these, even while the ratios lie far apart. */
  readonly most: number
  /** Whether there is time left for more than the least. */
  readonly hasTime: () => boolean
}

/** What was seen of a scenario. Without the reference there are no ratios, and so no rounds. */
export interface Seen {
  readonly rounds: ReadonlyArray<Round>
  readonly leftOut: ReadonlyArray<LeftOut>
}

const without = (round: Round, peer: string): Round =>
  Object.fromEntries(Object.entries(round).filter(([name]) => name !== peer))

/** A peer that fails is left out of all rounds, the earlier ones, too, and is not measured again. */
export const takeRounds = async (
  peers: ReadonlyArray<string>,
  { hasTime, least, most }: Rounds,
  measure: (peer: string, round: number) => Promise<Measurement>
): Promise<Seen> => {
  let able = peers
  let rounds: ReadonlyArray<Round> = []
  const leftOut: Array<LeftOut> = []
  while (rounds.length < least || rounds.length < most && uncertainty(rounds) > maxUncertainty && hasTime()) {
    const first = rounds.length % able.length
    let round: Round = {}
    for (const peer of [...able.slice(first), ...able.slice(0, first)]) {
      const seen = await caught(() => measure(peer, rounds.length + 1))
      if (!(seen instanceof PeerFailure)) {
        round = { ...round, [peer]: seen }
        continue
      }
      leftOut.push({ peer, reason: seen.message })
      if (peer === reference) return { rounds: [], leftOut }
      able = able.filter((name) => name !== peer)
      rounds = rounds.map((earlier) => without(earlier, peer))
    }
    rounds = [...rounds, round]
  }
  return { rounds, leftOut }
}

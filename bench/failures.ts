/**
 * What can go wrong with a peer. One that fails is left out of a scenario, and the run goes on; a wrong reply ends it,
 * because a server that answers wrongly has no speed.
 */

/** A peer failed: its server or client ended, or did not answer. The message is the reason, in one line. */
export class PeerFailure extends Error {}

/** A byte differed from what it had to be. */
export class WrongReply extends Error {}

/** The exit code by which generators (`generator.c`, too) and clients tell a wrong reply from any other failure. */
export const wrongReplyCode = 3

/** How a process ended, as Node tells it. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** Longer reasons are cut. */
const maxReasonChars = 200

/** How Node, Python, Java, Go and Rust begin the line that says why a program died. */
const reason = /^(?:[\w.]*(?:Error|Exception)\b|panic:|thread .* panicked)/

/** The line that says most of what a program wrote to stderr: its last error, else its last line. */
export const lastWords = (said: string): string => {
  const lines = said.split("\n").map((line) => line.trim()).filter((line) => line !== "")
  return (lines.findLast((line) => reason.test(line)) ?? lines.at(-1) ?? "").slice(0, maxReasonChars)
}

/** Why a program ended; one that says so itself, behind its own name, is quoted. */
export const farewell = (who: string, { code, signal }: Exit, said: string): string => {
  const words = lastWords(said)
  if (words.startsWith(`${who}: `)) return words.slice(who.length + 2)
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
  return `the ${who} ${how}${words === "" ? "" : `: ${words}`}`
}

/** The second try counts, because the first failure may have been the machine's. A wrong reply has no second try. */
export const twice = async <A>(effort: () => Promise<A>, onFirst: (reason: string) => void): Promise<A> => {
  try {
    return await effort()
  } catch (error) {
    if (!(error instanceof PeerFailure)) throw error
    onFirst(error.message)
  }
  return effort()
}

/** A failure of a peer as a value; everything else is thrown. */
export const caught = async <A>(effort: () => Promise<A>): Promise<A | PeerFailure> => {
  try {
    return await effort()
  } catch (error) {
    if (error instanceof PeerFailure) return error
    throw error
  }
}

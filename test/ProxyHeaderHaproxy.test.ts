/** Headers as HAProxy wrote them; `test/peers/support/record.ts` makes the file. */
import { describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { type Capture, check } from "./support/proxyCapture.ts"

const file = readFileSync(new URL("data/proxy/haproxy.json", import.meta.url), "utf8")
const { captures, source }: { source: string; captures: ReadonlyArray<Capture> } = JSON.parse(file)

describe(source, () => {
  it.each(captures)("$name", check)
})

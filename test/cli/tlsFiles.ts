/** Certificates of the tests in a folder of their own, so that they can be replaced. */
import { Effect } from "effect"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** A certificate or key of the tests. */
export const file = (name: string): string => fileURLToPath(new URL(`../data/tls/${name}`, import.meta.url))

/** The flags for one of them as it is. */
export const pair = (name: string): ReadonlyArray<string> => [
  "--tls-cert",
  file(`${name}.pem`),
  "--tls-key",
  file(`${name}.key.pem`)
]

/** A pair that changes. */
export class Changing implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "hawser-tls-"))
  readonly certificate = join(this.folder, "site.pem")
  readonly key = join(this.folder, "site.key.pem")
  readonly flags: ReadonlyArray<string> = ["--tls-cert", this.certificate, "--tls-key", this.key]

  constructor(name: string) {
    this.become(name)
  }

  /** Puts another certificate in place. */
  becomeCertificate(name: string): void {
    copyFileSync(file(`${name}.pem`), this.certificate)
  }

  /** Puts another certificate and its key in place. */
  become(name: string): void {
    this.becomeCertificate(name)
    copyFileSync(file(`${name}.key.pem`), this.key)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** A pair that changes, for the time of the scope. */
export const changing = (name: string) => Effect.acquireDisposable(Effect.sync(() => new Changing(name)))

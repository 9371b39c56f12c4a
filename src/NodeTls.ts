/**
 * TLS by Node: the engine that `NodeTransport` brings, for other transports; and certificates read from files.
 *
 * ```
 * NodeTransport.layer                    knows it already
 * NodeTls.layer  over  any transport     adds it: TLS over memory, or over a simulated network
 * NodeTls.fromFiles({ ... })  -->  Tls.ServerOptions  -->  Tls.makeServer, context.reload
 * ```
 *
 * **Gotchas**: the handshake needs real turns of the event loop, also where everything else is in virtual time.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Fs from "node:fs/promises"
import * as internal from "./internal/nodeTlsLazy.ts"
import type * as Tls from "./Tls.ts"
import * as Transport from "./Transport.ts"

/** Node's TLS. @category services @since 0.1.0 */
export const engine: Tls.Engine = internal.engine

/** The transport below, with Node's TLS. @category layers @since 0.1.0 */
export const layer: Layer.Layer<Transport.Transport, never, Transport.Transport> = Layer.effect(
  Transport.Transport,
  Effect.map(Transport.Transport, (transport) => Transport.Transport.of({ ...transport, tls: engine }))
)

/**
 * A certificate and its key, by the paths of their PEM files.
 *
 * @category options
 * @since 0.1.0
 */
export interface KeyPairFiles {
  /** The certificate, then each that issued the one before it. */
  readonly certificate: string
  readonly key: string
  /** What opens the key, where it is encrypted. */
  readonly passphrase?: Tls.Secret | undefined
}

/**
 * A server's options with paths in place of the PEM texts.
 *
 * @category options
 * @since 0.1.0
 */
export interface ServerFiles extends Omit<Tls.ServerOptions, "certificates" | "clientCa"> {
  readonly certificates: ReadonlyArray<KeyPairFiles>
  readonly clientCa?: ReadonlyArray<string> | undefined
}

/**
 * A file that cannot be read; `option` is the one that names it.
 *
 * @category errors
 * @since 0.1.0
 */
export class TlsFileError extends Data.TaggedError("TlsFileError")<{
  readonly option: string
  readonly path: string
  readonly code: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `tls.${this.option}: cannot read ${this.path} (${this.code})`
  }
}

const read = (option: string, path: string): Effect.Effect<string, TlsFileError> =>
  Effect.tryPromise({
    try: (signal) => Fs.readFile(path, { encoding: "utf8", signal }),
    catch: (cause) => {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause)
      return new TlsFileError({ option, path, code, cause })
    }
  })

/**
 * Reads a server's certificates and keys from files: again for each run, so that it serves a reload, too.
 *
 * **Details**: only reads; what is in the files is checked by `Tls.makeServer` and `reload`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromFiles = Effect.fnUntraced(
  function*(files: ServerFiles): Effect.fn.Return<Tls.ServerOptions, TlsFileError> {
    const certificates = yield* Effect.forEach(files.certificates, (pair, i) =>
      Effect.gen(function*() {
        const option = `certificates[${i}]`
        return {
          ...pair,
          certificate: yield* read(`${option}.certificate`, pair.certificate),
          key: Redacted.make(yield* read(`${option}.key`, pair.key))
        }
      }))
    const clientCa = files.clientCa === undefined
      ? undefined
      : yield* Effect.forEach(files.clientCa, (path, i) => read(`clientCa[${i}]`, path))
    return { ...files, certificates, clientCa }
  }
)

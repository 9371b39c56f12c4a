/**
 * The certificates of `hawser serve`: read at the start, again at SIGHUP, and again when their files change.
 *
 * ```
 * every 2 s   same as loaded?   same as 2 s ago?
 *             no                yes                load: somebody is done with writing
 * ```
 *
 * The files are looked at, not watched: so a link to another folder may change, and a network's file system may hold
 * them. A certificate and its key that do not fit together are told, and those in use stay; open connections live on
 * either way.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Queue from "effect/Queue"
import * as NodeTls from "../NodeTls.ts"
import type * as Tls from "../Tls.ts"
import type * as Failure from "./Failure.ts"
import type * as Report from "./Report.ts"
import type { ServeSettings } from "./serveSettings.ts"
import * as TlsFiles from "./TlsFiles.ts"

/** A new certificate is worth some seconds of patience, and a look at some files costs nothing. */
const pause = "2 seconds"

const naming = (given: ServeSettings): TlsFiles.Naming => [
  [/(?:\btls\.)?\bcertificates\[(\d+)\]\.certificate\b/g, (index) => TlsFiles.nameOf(given.tlsCert, index)],
  [/(?:\btls\.)?\bcertificates\[(\d+)\]\.key\b/g, (index) => TlsFiles.nameOf(given.tlsKey, index)],
  [/^certificates\[(\d+)\]/g, (index) => TlsFiles.nameOf(given.tlsCert, index)],
  [/^clientCa\[(\d+)\]/g, (index) => TlsFiles.nameOf(given.tlsClientCa, index)],
  [/^alpn\[\d+\]/g, () => given.alpn?.from ?? "--alpn"]
]

const filesOf = ({ tlsCert, tlsClientCa, tlsKey }: ServeSettings): ReadonlyArray<string> => [
  ...tlsCert?.value ?? [],
  ...tlsKey?.value ?? [],
  ...tlsClientCa?.value ?? []
]

/** Reads all files again. */
const read = (given: ServeSettings): Effect.Effect<Tls.ServerOptions, Failure.Failure> =>
  NodeTls.fromFiles({
    certificates: (given.tlsCert?.value ?? []).map((certificate, i) => ({
      certificate,
      key: given.tlsKey?.value[i] ?? ""
    })),
    alpn: given.alpn?.value,
    ...(given.tlsClientCa === undefined
      ? {}
      : { clientCa: given.tlsClientCa.value, clientCertificate: "require" as const })
  }).pipe(
    Effect.mapError(({ code, option }) => TlsFiles.unreadable(TlsFiles.rename(option, naming(given)), code))
  )

/** What a change of the files changes: other bytes in place, or another file under the name. */
const look = (given: ServeSettings): Effect.Effect<string, never, FileSystem.FileSystem> => {
  const tell = ({ ino, mtime, size }: FileSystem.File.Info): string =>
    [Option.getOrElse(ino, () => 0), Option.match(mtime, { onNone: () => 0, onSome: Number }), size].join()
  const ofError = ({ reason }: PlatformError.PlatformError): string => reason._tag
  return FileSystem.FileSystem.use((fs) =>
    Effect.map(
      Effect.forEach(filesOf(given), (file) => Effect.match(fs.stat(file), { onSuccess: tell, onFailure: ofError })),
      (all) => all.join(" ")
    )
  )
}

/** Certificates in use, and the files they came from. @category models @since 0.1.0 */
export interface Certificates {
  readonly context: Tls.ServerContext
  /** What should be known of them, such as that one has expired. */
  readonly notices: ReadonlyArray<string>
  /** Loads them again when it is asked to, or the files have changed; for ever. */
  readonly keepFresh: (
    asked: Queue.Dequeue<void>,
    onEvent: (event: Report.Event) => void
  ) => Effect.Effect<never, never, FileSystem.FileSystem>
}

/** Reads and checks everything that the settings name. @category constructors @since 0.1.0 */
export const make = Effect.fnUntraced(function*(
  given: ServeSettings
): Effect.fn.Return<Certificates, Failure.Failure, FileSystem.FileSystem> {
  const fromOptions = (error: Tls.TlsOptionsError) => TlsFiles.fromOptions(error, naming(given))
  // Looked at before they are read: what changes in between is seen as a change.
  let loaded = yield* look(given)
  let before = loaded
  const context = yield* Effect.mapError(
    Effect.flatMap(read(given), NodeTls.engine.server),
    (error) => error._tag === "Failure" ? error : fromOptions(error)
  )
  const notices = () => context.notices.map((notice) => TlsFiles.rename(notice, naming(given)))
  const reload = Effect.flatMap(read(given), (options) => Effect.mapError(context.reload(options), fromOptions))
  const keepFresh: Certificates["keepFresh"] = (asked, onEvent) =>
    Effect.gen(function*() {
      const isAsked = Option.isSome(yield* Effect.timeoutOption(Queue.take(asked), pause))
      const now = yield* look(given)
      const isDone = now !== loaded && now === before
      before = now
      if (!isAsked && !isDone) return
      loaded = now
      onEvent(
        yield* Effect.match(reload, {
          onSuccess: (): Report.Event => ({
            _tag: "Reloaded",
            certificates: context.certificates,
            notices: notices()
          }),
          onFailure: ({ message }): Report.Event => ({ _tag: "NotReloaded", message })
        })
      )
    }).pipe(Effect.forever)
  return { context, notices: notices(), keepFresh }
})

/**
 * What `hawser serve` was asked for, checked as far as that goes without a server: endpoints, framing, options, files.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import type * as CrcCheck from "../services/CrcCheck.ts"
import type * as Transport from "../Transport.ts"
import * as Address from "./Address.ts"
import type * as Commands from "./commands.ts"
import * as Environment from "./Environment.ts"
import * as Failure from "./Failure.ts"
import * as Flags from "./Flags.ts"
import type * as Report from "./Report.ts"
import * as ServeNames from "./serveNames.ts"
import * as ServeOptions from "./serveOptions.ts"
import { type ServeSettings, serveSettings } from "./serveSettings.ts"
import * as ServeShares from "./serveShares.ts"
import type * as ServeTls from "./serveTls.ts"
import { served } from "./services.ts"
import type * as Setting from "./Setting.ts"

/** What one process serves. @category models @since 0.1.0 */
interface Part {
  readonly endpoints: Address.Places["endpoints"]
  readonly options: Server.Options
}

/** A server that was asked for, checked as far as that goes without one. @category models @since 0.1.0 */
export interface Plan {
  readonly service: Commands.ServedName
  readonly given: ServeSettings
  /** Whether events are printed as JSON. */
  readonly isJson: boolean
  readonly places: Address.Places
  /** The service, its framing and what else is to be said of it. */
  readonly what: string
  readonly usualFraming: string
  /** What happens to one connection too many where nothing else is asked for. */
  readonly usualOverflow: "goodbye" | "close"
  readonly certificates: ServeTls.Certificates | undefined
  /** How many processes serve it. */
  readonly workers: number
  /** All of it. */
  readonly whole: Part
  /** What one worker, which count from 1, serves of it. */
  readonly share: (worker: number, endpoints: Address.Places["endpoints"]) => Part
  readonly layer: (
    onEvent: (event: Report.Event) => void,
    part: Part
  ) => Layer.Layer<Server.Server, Server.StartError, Transport.Transport>
}

/** Why a server did not start, by the names that were typed. @category constructors @since 0.1.0 */
export const fromStart = ({ given }: Plan) => (error: Server.StartError): Failure.Failure => {
  switch (error._tag) {
    case "BindError":
      return Failure.fromBind(error)
    case "EndpointError":
      return Failure.fromEndpoint(error)
    case "ServerOptionsError":
      return ServeNames.fromOptions(given, error)
    case "TlsOptionsError":
      return Failure.local(error.message)
  }
}

/** How several workers share what the server has; they can share only ports of TCP. */
const sharing = Effect.fnUntraced(function*(
  given: ServeSettings,
  workers: Setting.Given<number>,
  { endpoints, from }: Address.Places,
  options: Server.Options
): Effect.fn.Return<(worker: number) => Server.Options, Failure.Failure> {
  const other = endpoints.find(({ _tag }) => _tag !== "Tcp" && _tag !== "Tls")
  if (other !== undefined) {
    return yield* Failure.local(
      `${workers.from} ${workers.text} needs ports that can be shared, and ${from} names ${Endpoint.format(other)}`,
      "write tcp://HOST:PORT or tls://HOST:PORT, or leave it at one worker"
    )
  }
  yield* ServeShares.check(given, options, workers)
  return (worker) => ServeShares.toShare(options, workers.value, worker)
})

/** Makes a plan of what was typed and stands in the environment. @category constructors @since 0.1.0 */
export const make = Effect.fnUntraced(function*(
  input: Commands.Serve
): Effect.fn.Return<Plan, Failure.Failure, FileSystem.FileSystem> {
  const given = yield* Environment.fill(Environment.prefixes.serve, serveSettings, input)
  const { service: name } = input
  const places = yield* Address.toListen(given, given.tlsCert !== undefined, process.pid)
  if (name !== "crc" && given.crc !== undefined) {
    return yield* Failure.local(`${given.crc.from} is for the service crc, not for ${name}`)
  }
  const usualFraming = name === "crc" ? "lines" : served[name].framing
  const framing = yield* Flags.toFraming(given, usualFraming)
  // Whom to tell is known when the server is made.
  let onFinding: (finding: CrcCheck.Finding) => void = () => {}
  const service = name !== "crc" ? served[name] : yield* Effect.flatMap(
    Effect.promise(() => import("./serveCrc.ts")),
    (_) => _.crc(framing, given.crc, (finding) => onFinding(finding))
  )
  const isPolite = ServeOptions.isPolite(places, framing, service.isMute === true)
  const options = yield* ServeOptions.toOptions(given, places, framing, service.isMute === true)
  if (service.greeting !== undefined && Result.isFailure(Codec.encode(Codec.text(framing.codec), service.greeting))) {
    return yield* Failure.local(`${name} cannot say "${service.greeting}" in ${framing.name}`)
  }
  const shares = given.workers === undefined || given.workers.value === 1 ? undefined : yield* sharing(
    given,
    given.workers,
    places,
    options
  )
  const certificates = given.tlsCert === undefined ? undefined : yield* Effect.flatMap(
    Effect.promise(() => import("./serveTls.ts")),
    (_) => _.make(given)
  )
  return {
    service: name,
    given,
    isJson: given.json?.value === true,
    places,
    usualFraming,
    usualOverflow: isPolite ? "goodbye" : "close",
    what: [name, framing.name, ...(service.detail === undefined ? [] : [service.detail])].join(", "),
    certificates,
    workers: given.workers?.value ?? 1,
    whole: { endpoints: places.endpoints, options },
    share: (worker, endpoints) => ({ endpoints, options: shares?.(worker) ?? options }),
    layer: (onEvent, { endpoints, options }) => {
      onFinding = (finding) => onEvent({ _tag: "Checked", ...finding })
      return service.layer(endpoints, {
        ...options,
        framing: framing.codec,
        tls: certificates?.context,
        onEvent
      })
    }
  }
})

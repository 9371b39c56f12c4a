/**
 * `hawser serve`: a service on a port, until somebody asks it to stop.
 *
 * The server is a layer; launched, it serves. When the program is asked to stop, the layer's scope closes, and closing a
 * server drains it. Its events are printed by a log in the scope around it, so that the report comes out too.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Admission from "../Admission.ts"
import * as Codec from "../Codec.ts"
import * as NodeTransport from "../NodeTransport.ts"
import type * as Server from "../Server.ts"
import type * as CrcCheck from "../services/CrcCheck.ts"
import * as Goodbye from "../services/Goodbye.ts"
import type * as Commands from "./commands.ts"
import * as EventLog from "./EventLog.ts"
import * as Failure from "./Failure.ts"
import * as Flags from "./Flags.ts"
import type * as FramingFlag from "./FramingFlag.ts"
import * as Report from "./Report.ts"
import { served } from "./services.ts"
import * as Stop from "./Stop.ts"
import * as Style from "./Style.ts"

const defaults = {
  /** A short queue: who waits long has better things to do. Arbitrary; not measured. */
  maxWaiting: 64,
  waitTimeout: "10 seconds"
} as const

/** What happens to one connection too many; nothing where the server's own default is right. */
const toOverflow = (
  input: Commands.Serve,
  framing: FramingFlag.Choice,
  isMute: boolean
): Effect.Effect<Admission.Overflow | undefined, Failure.Failure> => {
  const chosen = Option.getOrUndefined(input.overflow)
  const polite = !isMute && Goodbye.canSay(framing.codec)
  if (chosen === "goodbye" && isMute) {
    return Effect.fail(Failure.local("--overflow goodbye is not for crc, which has words only with --framing chunks"))
  }
  if (chosen === "goodbye" && !polite) {
    return Effect.fail(Failure.local(`--overflow goodbye needs a framing that can say it, and ${framing.name} cannot`))
  }
  if (chosen === "wait") {
    return Effect.succeed(Admission.wait({
      maxWaiting: Option.getOrElse(input.maxWaiting, () => defaults.maxWaiting),
      timeout: Option.getOrElse(input.waitTimeout, () => defaults.waitTimeout),
      otherwise: polite ? "goodbye" : "close"
    }))
  }
  const idle = Option.isSome(input.maxWaiting)
    ? "--max-waiting"
    : Option.isSome(input.waitTimeout)
    ? "--wait-timeout"
    : undefined
  return idle === undefined ? Effect.succeed(chosen) : Effect.fail(Failure.local(`${idle} needs --overflow wait`))
}

const fromStart = (error: Server.StartError): Failure.Failure => {
  switch (error._tag) {
    case "BindError":
      return Failure.fromBind(error)
    case "EndpointError":
      return Failure.fromEndpoint(error)
    case "ServerOptionsError":
      return Failure.local(error.message)
  }
}

/** Serves until it is asked to stop, and drains then. @category running @since 0.1.0 */
export const serve = Effect.fnUntraced(function*(input: Commands.Serve) {
  const endpoint = yield* Flags.toEndpoint("listen", input)
  if (input.service !== "crc" && Option.isSome(input.crc)) {
    return yield* Failure.local(`--crc is for the service crc, not for ${input.service}`)
  }
  const framing = yield* Flags.toFraming(input, input.service === "crc" ? "lines" : served[input.service].framing)
  // The log is made below, from what the service is called.
  let onFinding: (finding: CrcCheck.Finding) => void = () => {}
  const service = input.service !== "crc" ? served[input.service] : yield* Effect.flatMap(
    Effect.promise(() => import("./serveCrc.ts")),
    (_) => _.crc(framing, input.crc, (finding) => onFinding(finding))
  )
  const overflow = yield* toOverflow(input, framing, service.isMute === true)
  if (service.greeting !== undefined && Result.isFailure(Codec.encode(Codec.text(framing.codec), service.greeting))) {
    return yield* Failure.local(`${input.service} cannot say "${service.greeting}" in ${framing.name}`)
  }
  const what = [input.service, framing.name, ...(service.detail === undefined ? [] : [service.detail])].join(", ")
  const log = yield* EventLog.make(input.json ? Report.json(input.service) : Report.text(what, yield* Style.current))
  onFinding = (finding) => log.onEvent({ _tag: "Checked", ...finding })
  const server = service.layer(endpoint, {
    framing: framing.codec,
    maxConnections: Option.getOrUndefined(input.maxConnections),
    overflow,
    backlog: Option.getOrUndefined(input.backlog),
    drain: { grace: Option.getOrUndefined(input.drainGrace) },
    onEvent: log.onEvent
  })
  const stop = yield* Stop.Stop
  yield* Layer.launch(Layer.provide(server, NodeTransport.layer)).pipe(
    Effect.mapError(fromStart),
    Effect.raceFirst(log.failed),
    Effect.raceFirst(stop.requested)
  )
}, Effect.scoped)

/**
 * `hawser connect`: stdin to the peer, and what the peer sends to stdout, byte for byte.
 *
 * ```
 * stdin --pull--> write --> peer        at the end of stdin this side ends, and reading goes on
 * stdout <-- pull <-------- peer        at the peer's end all is done, whether stdin has ended or not
 * ```
 *
 * Each way asks for more only when the other end has taken what there was, so memory stays flat.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Codec from "../Codec.ts"
import * as Connection from "../Connection.ts"
import * as Endpoint from "../Endpoint.ts"
import * as NodeTransport from "../NodeTransport.ts"
import type * as Commands from "./commands.ts"
import * as Dial from "./Dial.ts"
import { connectSettings } from "./dialSettings.ts"
import * as Environment from "./Environment.ts"
import * as Failure from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"

/** Connects stdin and stdout to a peer. @category running @since 0.1.0 */
export const connect = Effect.fnUntraced(
  function*(typed: Commands.Connect) {
    const given = yield* Environment.fill(Environment.prefixes.client, connectSettings, typed)
    const endpoint = yield* Effect.mapError(
      Effect.fromResult(Endpoint.fromString(typed.endpoint)),
      Failure.fromEndpoint
    )
    const timeout = given.timeout?.value ?? Flags.defaults.timeout
    const connection = yield* Connection.connect(endpoint, Codec.bytes, {
      ...(yield* Dial.toOptions(given, endpoint, timeout)),
      connectTimeout: timeout
    }).pipe(
      Effect.catchTags({
        ConnectError: (error) => Effect.fail(Failure.fromConnect(error)),
        EndpointError: (error) => Effect.fail(Failure.fromEndpoint(error)),
        TlsOptionsError: (error) => Effect.fail(Dial.fromOptions(given)(error))
      })
    )
    const send = Stream.runForEachArray(Input.bytes, connection.write).pipe(
      Effect.andThen(connection.finish),
      // The other way tells how the connection ended, after everything that still arrived.
      Effect.catchTag("ConnectionError", () => Effect.void)
    )
    const receive = Output.write(Stream.fromPull(Effect.succeed(connection.pull))).pipe(
      Effect.catchTag(
        "ConnectionError",
        ({ reason }) => Effect.fail(Failure.fromReason(Endpoint.format(connection.peer), reason))
      )
    )
    yield* Effect.raceFirst(receive, Effect.andThen(send, Effect.never))
  },
  Effect.scoped,
  Effect.provide(NodeTransport.layer)
)

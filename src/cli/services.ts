/**
 * The services of the program: how each is served, and what a client of it says.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import type * as Codec from "../Codec.ts"
import type * as Protocol from "../Protocol.ts"
import type * as Server from "../Server.ts"
import * as Echo from "../services/Echo.ts"
import * as Goodbye from "../services/Goodbye.ts"
import * as Greet from "../services/Greet.ts"
import * as ParityCheck from "../services/ParityCheck.ts"
import * as Reverse from "../services/Reverse.ts"
import * as Vowels from "../services/Vowels.ts"
import type * as Transport from "../Transport.ts"
import type * as Commands from "./commands.ts"

/** A service that can be served. @category models @since 0.1.0 */
export interface Served {
  /** The framing where none is asked for. */
  readonly framing: string
  readonly layer: (
    endpoints: Server.Endpoints,
    options: Server.Options & { readonly framing: Codec.Codec<Uint8Array> }
  ) => Layer.Layer<Server.Server, Server.StartError, Transport.Transport>
  /** What it says by itself, and so must be able to say. */
  readonly greeting?: string
  /** Whether it says goodbye, where its framing can; absent when it does. */
  readonly isMute?: boolean
  /** What else is to be said of it. */
  readonly detail?: string
}

/** A service that can be talked to. @category models @since 0.1.0 */
export interface Spoken {
  readonly protocol: (
    framing: Codec.Codec<Uint8Array>,
    options: { readonly depth?: number }
  ) => Protocol.Protocol<string, string>
  /** What an answer should be, to tell one from a goodbye. */
  readonly answer: (message: string) => string
}

/** What `serve` serves; `crc` is in `serveCrc.ts`, because its catalogue takes a moment to load. @category constants @since 0.1.0 */
export const served: Readonly<Record<Exclude<Commands.ServedName, "crc">, Served>> = {
  greet: { framing: "lines", layer: Greet.layer, greeting: Greet.greeting },
  echo: { framing: "chunks", layer: Echo.layer },
  reverse: { framing: "lines", layer: Reverse.layer },
  vowels: { framing: "lines", layer: Vowels.layer },
  parity: { framing: "lines", layer: ParityCheck.layer }
}

/** What `talk` talks to; `crc` is in `talkCrc.ts`. @category constants @since 0.1.0 */
export const spoken: Readonly<Record<Exclude<Commands.SpokenName, "crc">, Spoken>> = {
  echo: { protocol: Echo.protocol, answer: (message) => message },
  reverse: { protocol: Reverse.protocol, answer: Reverse.reverse },
  vowels: { protocol: Vowels.protocol, answer: Vowels.hide },
  parity: { protocol: ParityCheck.protocol, answer: ParityCheck.answer }
}

/** Whether a reply is the words of a server that is full or ends, and not an answer. @category predicates @since 0.1.0 */
export const isGoodbye = (service: Spoken, message: string, reply: string): boolean =>
  (reply === Goodbye.full || reply === Goodbye.leaving) && service.answer(message) !== reply

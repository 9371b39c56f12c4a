/**
 * What can be set of the client's side: of `hawser talk` and `hawser connect`.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Flags from "./Flags.ts"
import * as Setting from "./Setting.ts"

const file = (description: string): Setting.Description<string> => ({
  value: "FILE",
  description,
  parse: Flags.filled("the name of a file")
})

/** How to connect. @category constants @since 0.1.0 */
const dialSettings = {
  tlsCa: Setting.many("tls-ca", {
    value: "FILE",
    description:
      "Who may issue the server's certificate, in PEM; may be given again. The word system is the system's list",
    unless: "Node's list",
    parse: Flags.filled("the name of a file, or system")
  }),
  tlsCert: Setting.one("tls-cert", {
    ...file("This side's certificate, for a server that asks for one"),
    group: "pair"
  }),
  tlsKey: Setting.one("tls-key", { ...file("The key of --tls-cert"), group: "pair" }),
  servername: Setting.one("servername", {
    value: "NAME",
    description: "The name that the server's certificate must have",
    unless: "the host",
    parse: Flags.filled("a host name or an address")
  }),
  insecure: Setting.toggle("insecure", "Talk to anybody: the server's certificate is not looked at"),
  alpn: Setting.many("alpn", {
    value: "NAME",
    description: "A protocol to offer; may be given again, the best first",
    parse: Flags.filled("the name of a protocol, such as echo")
  }),
  sendProxy: Setting.one("send-proxy", {
    value: "1|2",
    description: "Send a PROXY header of this version first, with this side's addresses",
    parse: Flags.word(["1", "2"])
  })
}

/** How `talk` connects, and what it says. @category constants @since 0.1.0 */
export const talkSettings = {
  ...Flags.hostAndPort({ host: "Where to connect", port: "The port" }),
  connect: Setting.one(
    "connect",
    Flags.endpoint("Where to connect: tcp://HOST:PORT, tls://HOST:PORT or unix:PATH, instead of --host and --port")
  ),
  ...Flags.framing("lines"),
  timeout: Flags.timeout("How long connecting, and each answer, may take"),
  crc: Flags.crc,
  corrupt: Setting.one("corrupt", {
    value: "RATE",
    description: "For crc: the share of frames in which a bit is flipped on the way, from 0 to 1",
    usual: "0",
    parse: (text) =>
      /^\d+(\.\d+)?$/.test(text) && Number(text) <= 1
        ? Result.succeed(Number(text))
        : Result.fail("a share from 0 to 1, such as 0.25")
  }),
  seed: Setting.one("seed", {
    value: "N",
    description: "With --corrupt: chooses the frames and bits; the same ones each time",
    usual: "1",
    parse: (text) =>
      /^\d+$/.test(text) && Number(text) < 2 ** 32
        ? Result.succeed(Number(text))
        : Result.fail("an integer from 0 to 4294967295")
  }),
  ...dialSettings
}

/** How `connect` connects. @category constants @since 0.1.0 */
export const connectSettings = {
  timeout: Flags.timeout("How long connecting may take"),
  ...dialSettings
}

/** What was set of how to connect. @category models @since 0.1.0 */
export type DialSettings = Setting.Filled<typeof dialSettings>

/** What was set of `talk`. @category models @since 0.1.0 */
export type TalkSettings = Setting.Filled<typeof talkSettings>

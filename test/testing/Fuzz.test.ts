import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Cause, Duration, Effect, Exit, Layer, Random, Result, Schema, Semaphore } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type CloseReason, Codec, type Connection, Framing, Protocol, Server, type Transport } from "../../src/index.ts"
import { Fuzz, NetArbitrary } from "../../src/testing/index.ts"
import { codecs, servers } from "../support/fuzzTargets.ts"

const small = NetArbitrary.bytes({ maxBytes: 6 })
const texts = NetArbitrary.text({ maxCharacters: 6 })
const prefixed = Framing.lengthPrefixed({ maxFrameBytes: 16, widthBytes: 1 })
const lines = Framing.lines({ maxFrameBytes: 64, ending: "lf", unterminated: "reject" })
const line = Codec.text(lines)

/** A codec whose decoders are changed. */
const broken = <A>(codec: Codec.Codec<A>, change: (decoder: Codec.Decoder<A>) => Codec.Decoder<A>): Codec.Codec<A> => ({
  ...codec,
  decoder: () => change(codec.decoder())
})

const passOn = <A>(decoder: Codec.Decoder<A>, decode: Codec.Decoder<A>["decode"]): Codec.Decoder<A> => ({
  decode,
  end: (out) => decoder.end(out),
  get bytesBuffered() {
    return decoder.bytesBuffered
  }
})

/** Loses the first byte of a chunk that continues a frame of which only the length has come. */
const losesByte = broken(
  prefixed,
  (decoder) =>
    passOn(
      decoder,
      (chunk, out) => decoder.decode(decoder.bytesBuffered === 1 && chunk.length > 1 ? chunk.slice(1) : chunk, out)
    )
)

const throws = broken(prefixed, (decoder) =>
  passOn(decoder, (chunk, out) => {
    if (chunk.includes(0xff)) throw new RangeError("ff")
    return decoder.decode(chunk, out)
  }))

/** A frame ends with LF, and nothing limits how long it is. */
const unbounded: Codec.Codec<Uint8Array> = {
  ...Framing.lines({ maxFrameBytes: "unbounded", ending: "lf", unterminated: "reject" }),
  maxFrameBytes: 64
}

/** The same, and it does not admit it. */
const lies = broken(unbounded, (decoder) => ({
  decode: (chunk, out) => decoder.decode(chunk, out),
  end: (out) => decoder.end(out),
  get bytesBuffered() {
    return Math.min(1, decoder.bytesBuffered)
  }
}))

/** Holds what it has given while a frame is open. */
const keeps = broken(prefixed, (decoder) => {
  let given = 0
  return {
    decode: (chunk, out) => {
      given += chunk.length
      return decoder.decode(chunk, out)
    },
    end: (out) => decoder.end(out),
    get bytesBuffered() {
      return decoder.bytesBuffered > 0 ? given : 0
    }
  }
})

const forgivesFatal = broken(prefixed, (decoder) => {
  let failed = false
  return passOn(decoder, (chunk, out) => {
    const error = failed ? undefined : decoder.decode(chunk, out)
    failed ||= error !== undefined
    return error
  })
})

const speaksOn = broken(prefixed, (decoder) => {
  let failed = false
  return passOn(decoder, (chunk, out) => {
    if (failed) out.push(chunk)
    const error = decoder.decode(chunk, out)
    failed ||= error !== undefined
    return error
  })
})

const endless = broken(prefixed, (decoder) => {
  let stuck = false
  let fatal: CloseReason.FrameError | undefined = undefined
  return passOn(decoder, (chunk, out) => {
    stuck ||= fatal === undefined && chunk.includes(0x03)
    if (stuck) return { _tag: "FrameCorrupt", message: "again", recoverable: true }
    return fatal = decoder.decode(chunk, out)
  })
})

/** Gives each message four times. */
const repeats = broken(prefixed, (decoder) =>
  passOn(decoder, (chunk, out) => {
    const messages: Array<Uint8Array> = []
    const error = decoder.decode(chunk, messages)
    for (const message of messages.flatMap((each) => [each, each, each, each])) out.push(message)
    return error
  }))

/** Takes back what it said of what it holds. */
const miscounts = broken(prefixed, (decoder) => ({
  decode: (chunk, out) => decoder.decode(chunk, out),
  end: (out) => decoder.end(out),
  get bytesBuffered() {
    return decoder.bytesBuffered === 0 ? 0 : 5
  }
}))

/** Throws at twelve bits that nobody guesses at once; its error says how near a frame came. */
const riddle = Codec.mapResult(prefixed, {
  decode: (message) => {
    const near = [0xb, 0x1, 0xe].findIndex((bits, i) => (message[i] ?? 0) >> 4 !== bits)
    if (near === -1) throw new RangeError("guessed")
    return near === 0 ? Result.succeed(message) : Result.fail(near === 1 ? "near" : "very near")
  },
  encode: (message: Uint8Array) => Result.succeed(message)
})

const untyped = broken(prefixed, (decoder) =>
  passOn(decoder, (chunk, out) => {
    const error = decoder.decode(chunk, out)
    // What a decoder written without types may do.
    return error === undefined ? undefined : { _tag: "Oops" } as unknown as typeof error
  }))

describe("Fuzz.codec", () => {
  it.effect("a finding shows no invisible characters of its input", () =>
    Effect.gen(function*() {
      const says = broken(prefixed, (decoder) =>
        passOn(decoder, () => {
          throw new Error("\u001b[2J\r\u0085\u202eno\nyes")
        }))
      const finding = yield* Effect.flip(Fuzz.run(Fuzz.codec(says, { messages: small }), { runs: 5 }))
      const shown = "it threw Error: \\u{1b}[2J\\u{d}\\u{85}\\u{202e}no\nyes\n"
      assert.include(finding.message, shown)
      assert.include(finding.broken, "\u001b[2J")
    }))

  const target = (codec: Codec.Codec<Uint8Array>) => Fuzz.codec(codec, { messages: small, overheadBytes: 1 })

  it.effect("finds nothing in a codec that is right, and tells what came out", () =>
    Effect.gen(function*() {
      const report = yield* Fuzz.run(target(prefixed), { seed: 1, runs: 300 })
      assert.strictEqual(report.runs, 300)
      assert.strictEqual(report.outcomes.reduce((sum, { count }) => sum + count, 0), 300)
      assert.includeMembers(report.outcomes.map(({ outcome }) => outcome), [
        "nothing",
        "message",
        "message, FrameTooLarge",
        "message, FrameTruncated"
      ])
    }))

  it.effect("gives the same for the same seed, and other inputs for another one", () =>
    Effect.gen(function*() {
      const search = (seed: number) => Fuzz.run(target(prefixed), { seed, runs: 60 })
      const first = yield* search(5)
      assert.deepStrictEqual(yield* search(5), first)
      assert.notDeepEqual((yield* search(6)).outcomes, first.outcomes)
    }))

  it.effect("an outcome can be replayed", () =>
    Effect.gen(function*() {
      const report = yield* Fuzz.run(target(prefixed), { seed: 1, runs: 100 })
      for (const { outcome, replay } of report.outcomes) {
        assert.strictEqual(yield* Fuzz.replay(target(prefixed), replay), outcome)
      }
    }))

  // The number of runs within which each is found, and the smallest input.
  it.effect.each<[what: string, codec: Codec.Codec<Uint8Array>, rule: string, runs: number, replay: string]>([
    ["loses a byte at a chunk boundary", losesByte, "gives the same in any chunks", 50, "01 0000"],
    ["throws", throws, "throws nothing", 50, "ff"],
    ["buffers without limit", unbounded, "holds at most its limit and one chunk", 100, "00".repeat(67)],
    ["buffers without limit and lies", lies, "holds at most its limit and one chunk", 100, "00".repeat(67)],
    ["gives messages after a fatal error", speaksOn, "ends with a fatal error", 50, "1100"],
    ["goes on after a fatal error", forgivesFatal, "ends with a fatal error", 50, "1100"],
    ["gives an error for ever", endless, "makes progress", 50, "03"],
    ["repeats itself", repeats, "makes progress", 50, "00"],
    ["miscounts what it holds", miscounts, "counts what it holds", 50, "01"],
    ["fails with what is no error", untyped, "fails with typed errors", 50, "11"]
  ])(
    "finds a decoder that %s, makes the input small, and replays it",
    ([, codec, rule, runs, replay]) =>
      Effect.gen(function*() {
        for (const seed of [1, 2, 3]) {
          const finding = yield* Effect.flip(Fuzz.run(target(codec), { seed, runs }))
          assert.deepInclude(finding, { _tag: "FuzzFinding", rule, seed, replay, target: "codec" })
          const again = yield* Effect.flip(Fuzz.replay(target(codec), finding.replay))
          assert.deepInclude(again, { _tag: "FuzzFinding", rule, broken: finding.broken, replay, run: 0 })
          assert.include(finding.message, `found by run ${finding.run} with seed ${seed}\nreplay: "${replay}"`)
        }
      })
  )

  it.effect("keeps what had a new outcome, and goes on from there", () =>
    Effect.gen(function*() {
      const finding = yield* Effect.flip(Fuzz.run(target(riddle), { seed: 2, runs: 2_500 }))
      assert.deepInclude(finding, { rule: "throws nothing", replay: "03b010e0" })
    }))

  it.effect("takes a character of several bytes out as a whole", () =>
    Effect.gen(function*() {
      const shouting = broken(line, (decoder) =>
        passOn(decoder, (chunk, out) => {
          const messages: Array<string> = []
          const error = decoder.decode(chunk, messages)
          if (messages.some((text) => text.includes("!"))) throw new RangeError("!")
          for (const message of messages) out.push(message)
          return error
        }))
      const finding = yield* Effect.flip(
        Fuzz.run(Fuzz.codec(shouting, { messages: Schema.Literal("\u1800\u{1f600}!\u1800") }), { runs: 50 })
      )
      assert.strictEqual(finding.replay, "210a")
    }))

  it.effect("options that cannot be are refused, with the rule", () =>
    Effect.gen(function*() {
      const dies = (options: Fuzz.Options) =>
        Effect.map(
          Effect.exit(Fuzz.run(target(prefixed), options)),
          (exit) => Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "it lives"
        )
      assert.include(yield* dies({ runs: Number.NaN }), "runs must be an integer from 1, got NaN")
      assert.include(yield* dies({ runs: 0 }), "runs must be an integer from 1, got 0")
      assert.include(yield* dies({ seed: 0.5 }), "seed must be an integer from -9007199254740991, got 0.5")
      assert.include(yield* dies({ maxShrinks: -1 }), "maxShrinks must be an integer from 0, got -1")
      assert.throws(() => Fuzz.codec(prefixed, { messages: small, maxBytes: 0 }), "maxBytes must be an integer from 1")
      assert.throws(() => Fuzz.codec(prefixed, { messages: small, overheadBytes: -1 }), "overheadBytes must be")
      const Lines = Protocol.make("lines", { request: line, response: line })
      const served = (options: Partial<Fuzz.ServerOptions<string>>) => () =>
        Fuzz.server(Lines, Effect.succeed, { requests: texts, ...options })
      assert.throws(served({ maxUnsentBytes: 0.5 }), "maxUnsentBytes must be an integer from 0, got 0.5")
      assert.throws(served({ maxBytes: Number.NaN }), "maxBytes must be an integer from 1, got NaN")
    }))

  it.effect("finds a decoder that holds what it has given", () =>
    Effect.gen(function*() {
      const finding = yield* Effect.flip(Fuzz.run(target(keeps), { seed: 1, runs: 50 }))
      assert.strictEqual(finding.rule, "holds at most its limit and one chunk")
      assert.strictEqual(finding.broken, "byte by byte, 19 bytes are buffered after a chunk of 1, the limit is 17")
      assert.strictEqual(finding.input.bytes.length, 19)
    }))

  it.effect("does not compare boundaries of a codec that has none", () =>
    Effect.gen(function*() {
      const chunks = Framing.chunks({ maxFrameBytes: 4 })
      yield* Fuzz.run(Fuzz.codec(chunks, { messages: small, boundaries: "chunks" }), { seed: 1 })
      const finding = yield* Effect.flip(Fuzz.run(Fuzz.codec(chunks, { messages: small }), { seed: 1 }))
      assert.strictEqual(finding.rule, "gives the same in any chunks")
    }))
})

// --- servers ---------------------------------------------------------------------------------------------------------

const Upper = Protocol.make("upper", { request: line, response: line })
const upper = (text: string) => Effect.succeed(text.toUpperCase())

/** A server of lines whose handler has the whole connection. */
const conversation = <E>(handler: (connection: Connection.Connection<string>) => Effect.Effect<unknown, E>) =>
  Fuzz.serverLayer(
    ({ endpoint, options, watch }) => Server.layerConnection(watch(line), endpoint, handler, options),
    { name: "conversation", codec: line, messages: texts }
  )

describe("Fuzz.server", () => {
  const target = Fuzz.server(Upper, upper, { requests: texts })

  it.effect("finds nothing in a server that is right, and tells how connections ended", () =>
    Effect.gen(function*() {
      const report = yield* Fuzz.run(target, { seed: 1, runs: 60 })
      const tags = new Set(report.outcomes.map(({ outcome }) => outcome.split(" ")[0]))
      assert.isTrue(tags.isSupersetOf(new Set(["PeerClosed", "PeerReset", "FrameTruncated", "FrameCorrupt"])))
      const search = Fuzz.run(target, { seed: 2, runs: 15 })
      assert.deepStrictEqual(yield* search, yield* search)
    }))

  /** A handler that waits for ever once it has seen a bad line. */
  const leaksConnection = conversation((connection) => {
    const loop: Effect.Effect<never, unknown> = Effect.flatMap(
      connection.pull,
      (batch) => Effect.andThen(connection.write(batch), loop)
    )
    return Effect.catchTag(
      loop as Effect.Effect<never, Connection.ConnectionError>,
      "ConnectionError",
      ({ reason }) => reason._tag === "FrameCorrupt" ? Effect.never : Effect.void
    )
  })

  /** One connection that breaks takes the lock of all with it. */
  const locksOut = Fuzz.serverLayer(
    ({ endpoint, options }) =>
      Layer.unwrap(Effect.gen(function*() {
        const lock = yield* Semaphore.make(1)
        return Server.layer(Upper, endpoint, (text) =>
          text.includes("\r")
            ? Effect.asVoid(Semaphore.take(lock, 1)).pipe(Effect.as(text))
            : Semaphore.withPermits(lock, 1)(upper(text)), options)
      })),
    { name: "locks out", codec: line, messages: texts }
  )

  const leaksFiber = Fuzz.serverLayer(
    ({ endpoint, options }) =>
      Server.layer(
        Upper,
        endpoint,
        (text) => text === "\r" ? Effect.as(Effect.forkDetach(Effect.sleep("1 hour")), text) : upper(text),
        options
      ),
    { name: "leaks a fiber", codec: line, messages: texts }
  )

  const hoards = Fuzz.serverLayer(
    ({ endpoint, options, watch }) =>
      Server.layer({ ...Upper, request: watch(Codec.text(unbounded)) }, endpoint, upper, options),
    { name: "hoards", codec: line, messages: texts }
  )

  const talksToTheDeaf = Fuzz.serverLayer(
    ({ endpoint, options, watch }) =>
      Server.layer(
        {
          ...Upper,
          response: watch(Codec.text(Framing.lines({ maxFrameBytes: 1_000_000, ending: "lf", unterminated: "reject" })))
        },
        endpoint,
        () => Effect.succeed("x".repeat(100_000)),
        options
      ),
    { name: "talks to the deaf", codec: line, messages: Schema.Literals(["", "a"]), maxUnsentBytes: 10_000 }
  )

  it.effect.each<[what: string, target: Fuzz.Target, rule: string, runs: number, replay: string]>([
    ["leaks a connection", leaksConnection, "leaks nothing", 100, "800a"],
    ["leaks a fiber", leaksFiber, "leaks nothing", 100, "0d0a"],
    ["lets one connection lock out the others", locksOut, "answers a guest", 100, "0d0a"],
    [
      "has a decoder that throws",
      Fuzz.server(Protocol.make("throws", { request: throws, response: throws }), Effect.succeed, {
        requests: Arbitrary.map(small, (bytes) => bytes.map((byte) => byte & 0x7f))
      }),
      "survives every input",
      100,
      "ff"
    ],
    ["has a decoder without a limit", hoards, "bounds its memory", 100, `${"00".repeat(81)} 00`],
    ["writes to who does not read", talksToTheDeaf, "bounds its memory", 100, "0a !deaf"]
  ])(
    "finds a server that %s, makes the input small, and replays it",
    ([, target, rule, runs, replay]) =>
      Effect.gen(function*() {
        const finding = yield* Effect.flip(Fuzz.run(target, { seed: 1, runs }))
        assert.deepInclude(finding, { _tag: "FuzzFinding", rule, replay })
        const again = yield* Effect.flip(Fuzz.replay(target, finding.replay))
        assert.deepInclude(again, { _tag: "FuzzFinding", rule, broken: finding.broken })
      })
  )

  /** A sleep in a fiber that nobody counts. */
  const leaveTimer = Effect.clockWith((clock) => {
    const sleeping = clock.sleep(Duration.hours(2))
    return Effect.sync(() => void Effect.runFork(sleeping))
  })

  const withLayer = (
    serve: (setup: Fuzz.Setup) => Layer.Layer<Server.Server, unknown, Transport.Transport>,
    more = {}
  ) => Fuzz.serverLayer(serve, { codec: line, messages: texts, ...more })

  it.effect.each<[what: string, target: Fuzz.Target, rule: string, broken: string]>([
    [
      "does not start",
      withLayer(({ options }) => Server.layer(Upper, "tcp://127.0.0.1:0", upper, options)),
      "starts",
      "it failed with BindError: cannot listen on tcp://127.0.0.1:0: this transport does not know such endpoints"
    ],
    [
      "never starts",
      withLayer(() => Layer.effect(Server.Server, Effect.never)),
      "starts",
      "it did not start"
    ],
    [
      "keeps its events for itself",
      withLayer(({ endpoint }) => Server.layer(Upper, endpoint, upper)),
      "tells its events",
      "none came: are the options of the setup passed on?"
    ],
    [
      "never answers",
      withLayer(({ endpoint, options }) => Server.layer(Upper, endpoint, () => Effect.never, options)),
      "answers a guest",
      "the first guest got no answer"
    ],
    [
      "never closes",
      withLayer(({ endpoint, options }) =>
        Server.layer(Upper, endpoint, upper, options).pipe(
          Layer.provideMerge(Layer.effectDiscard(Effect.addFinalizer(() => Effect.never)))
        )
      ),
      "closes",
      "it did not close"
    ],
    [
      "leaves a fiber behind",
      withLayer(({ endpoint, options }) =>
        Layer.merge(
          Server.layer(Upper, endpoint, upper, options),
          Layer.effectDiscard(Effect.forkDetach(Effect.never))
        )
      ),
      "leaks nothing",
      "1 fibers run with nobody there, 0 did before"
    ],
    [
      "leaves a fiber behind for each request",
      withLayer(
        ({ endpoint, options }) =>
          Server.layer(Upper, endpoint, (text) => Effect.as(Effect.forkDetach(Effect.never), text), options),
        {
          messages: Schema.Literal("a")
        }
      ),
      "leaks nothing",
      "4 fibers run with nobody there, 0 did before"
    ],
    [
      "leaves a timer behind for each request",
      withLayer(
        ({ endpoint, options }) => Server.layer(Upper, endpoint, (text) => Effect.as(leaveTimer, text), options),
        {
          messages: Schema.Literal("a")
        }
      ),
      "leaks nothing",
      "4 timers run with nobody there, 0 did before"
    ],
    [
      "tells an end twice",
      withLayer(({ endpoint, options: { onEvent } }) =>
        Server.layer(Upper, endpoint, upper, {
          onEvent: (event) => {
            onEvent(event)
            if (event._tag === "Ended") onEvent(event)
          }
        })
      ),
      "ends each connection with one typed reason",
      "a connection ended 2 times"
    ],
    [
      "ends for no reason",
      withLayer(({ endpoint, options: { onEvent } }) =>
        Server.layer(Upper, endpoint, upper, {
          // What a server written without types may do.
          onEvent: (event) => onEvent(event._tag === "Ended" ? { ...event, reason: {} as typeof event.reason } : event)
        })
      ),
      "ends each connection with one typed reason",
      "a connection ended with {}"
    ]
  ])("finds a server that %s", ([, target, rule, broken]) =>
    Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(Fuzz.run(target, { seed: 1, runs: 1 })), { rule, broken })
    }))

  it.effect("takes another answer for the same where it is told to", () =>
    Effect.gen(function*() {
      const counts = (more: Partial<Fuzz.ServerLayerOptions<string, string>> = {}) =>
        withLayer(({ endpoint, options }) => {
          let count = 0
          return Server.layer(Upper, endpoint, () => Effect.succeed(String(++count)), options)
        }, more)
      const finding = yield* Effect.flip(Fuzz.run(counts(), { seed: 1, runs: 1 }))
      assert.strictEqual(finding.rule, "answers a guest")
      yield* Fuzz.run(counts({ sameAnswer: (answer, first) => answer.length > 0 && first.length > 0 }), { runs: 5 })
    }))

  it.effect("an input has the same outcome again, also in a server that draws lots", () =>
    Effect.gen(function*() {
      const Lines = Protocol.make("lines", { request: line, response: line })
      const fair = Fuzz.server(Lines, (text) =>
        Effect.flatMap(Random.next, (drawn) =>
          text === "" || drawn < 0.9 ? Effect.succeed(text) : Effect.fail("lots")), {
        requests: texts,
        name: "fair"
      })
      const token = "610a".repeat(5)
      const outcome = yield* Fuzz.replay(fair, token)
      for (let again = 0; again < 20; again++) {
        assert.strictEqual(yield* Fuzz.replay(fair, token), outcome)
      }
    }))

  it.effect("hears a server that takes its time", () =>
    Effect.gen(function*() {
      const slow = Fuzz.server(Upper, (text) => Effect.delay(upper(text), "20 seconds"), { requests: texts })
      assert.match(yield* Fuzz.replay(slow, "610a620a630a640a650a660a"), /^PeerClosed .* many messages, answered$/)
    }))
})

// --- the library -----------------------------------------------------------------------------------------------------

/** Far more were run where this was written; these keep the targets alive. */
const codecRuns = 40
const serverRuns = 12

describe("the library's codecs", () => {
  it.effect.each(Object.entries(codecs))("%s", ([, target]) => Fuzz.run(target, { seed: 1, runs: codecRuns }))
})

describe("the library's services", () => {
  it.effect.each(Object.entries(servers))("%s", ([, target]) => Fuzz.run(target, { seed: 1, runs: serverRuns }))
})

const Find = Schema.Struct({
  what: Schema.NonEmptyString,
  target: Schema.NonEmptyString,
  replay: Schema.NonEmptyString,
  outcome: Schema.NonEmptyString
})

describe("past finds", () => {
  const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "data/fuzz")
  const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Find))
  const finds = readdirSync(folder).sort().map((file) =>
    [file, decode(readFileSync(join(folder, file), "utf8"))] as const
  )

  it.effect.each(finds)("%s", ([, find]) =>
    Effect.gen(function*() {
      const target = codecs[find.target] ?? servers[find.target]
      assert(target !== undefined, `there is no target ${find.target}`)
      assert.strictEqual(yield* Fuzz.replay(target, find.replay), find.outcome)
    }))
})

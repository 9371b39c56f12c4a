/** Certificates that are loaded again: when that is asked for, and when their files have changed. */
import { assert, it } from "@effect/vitest"
import { ByteSize, Effect, FileSystem, Option, Queue } from "effect"
import { TestClock } from "effect/testing"
import { readFile } from "node:fs/promises"
import type * as Report from "../../src/cli/Report.ts"
import { type ServeSettings, serveSettings } from "../../src/cli/serveSettings.ts"
import * as ServeTls from "../../src/cli/serveTls.ts"
import { type Changing, changing } from "./tlsFiles.ts"

/** A file that says of itself only when it was written. */
const info = (written: number): FileSystem.File.Info => ({
  type: "File",
  mtime: Option.some(new Date(written)),
  atime: Option.none(),
  birthtime: Option.none(),
  dev: 1n,
  ino: Option.none(),
  mode: 0,
  nlink: Option.none(),
  uid: Option.none(),
  gid: Option.none(),
  rdev: Option.none(),
  size: ByteSize.bytes(1),
  blksize: Option.none(),
  blocks: Option.none()
})

/** Certificates in use, with a clock and a time of writing that the test sets. */
const setUp = Effect.fnUntraced(function*() {
  const files = yield* changing("server")
  const written = { at: 1 }
  const fs = FileSystem.makeNoop({ stat: () => Effect.sync(() => info(written.at)) })
  const given: ServeSettings = {
    ...Object.fromEntries(Object.keys(serveSettings).map((key) => [key, undefined])) as ServeSettings, // nothing is set
    tlsCert: { value: [files.certificate], text: files.certificate, from: "--tls-cert" },
    tlsKey: { value: [files.key], text: files.key, from: "--tls-key" }
  }
  const certificates = yield* Effect.provideService(ServeTls.make(given), FileSystem.FileSystem, fs)
  const asked = yield* Queue.sliding<void>(1)
  const events = yield* Queue.unbounded<Report.Event>()
  yield* certificates.keepFresh(asked, (event) => Queue.offerUnsafe(events, event)).pipe(
    Effect.provideService(FileSystem.FileSystem, fs),
    Effect.forkScoped({ startImmediately: true })
  )
  const subjects = () => certificates.context.certificates.map(({ subject }) => subject)
  return { asked, events, files, subjects, written }
})

/** Gives a reload that should not be the time to happen: it reads two files. */
const inRealTime = ({ certificate }: Changing) =>
  Effect.promise(async () => {
    for (let i = 0; i < 20; i++) await readFile(certificate)
  })

const first = "CN=localhost, O=hawser tests"
const second = "CN=second.example.test, O=hawser tests"

it.effect("when files changed, once they have not changed for a while", () =>
  Effect.gen(function*() {
    const { events, files, subjects, written } = yield* setUp()
    yield* TestClock.adjust("1 hour")
    files.becomeCertificate("second")
    written.at = 2
    yield* TestClock.adjust("2 seconds")
    yield* inRealTime(files)
    files.become("second")
    written.at = 3
    yield* TestClock.adjust("2 seconds")
    yield* inRealTime(files)
    assert.deepStrictEqual([yield* Queue.size(events), subjects()], [0, [first]])
    yield* TestClock.adjust("2 seconds")
    const event = yield* Queue.take(events)
    assert.deepStrictEqual([event._tag, subjects()], ["Reloaded", [second]])
    yield* TestClock.adjust("1 hour")
    yield* inRealTime(files)
    assert.strictEqual(yield* Queue.size(events), 0)
  }))

it.effect("at once when that is asked for, also where nothing has changed", () =>
  Effect.gen(function*() {
    const { asked, events, files, subjects, written } = yield* setUp()
    yield* Queue.offer(asked, undefined)
    assert.strictEqual((yield* Queue.take(events))._tag, "Reloaded")
    assert.deepStrictEqual(subjects(), [first])
    files.become("second")
    written.at = 2
    yield* Queue.offer(asked, undefined)
    assert.strictEqual((yield* Queue.take(events))._tag, "Reloaded")
    assert.deepStrictEqual(subjects(), [second])
    // What was loaded because somebody asked is no change any more.
    yield* TestClock.adjust("1 hour")
    yield* inRealTime(files)
    assert.strictEqual(yield* Queue.size(events), 0)
  }))

it.effect("but not where they do not fit: those in use stay, and it is told once", () =>
  Effect.gen(function*() {
    const { events, files, subjects, written } = yield* setUp()
    files.becomeCertificate("second")
    written.at = 2
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(yield* Queue.take(events), {
      _tag: "NotReloaded",
      message: `--tls-key ${files.key} must be the key of --tls-cert ${files.certificate}, got the key of another`
    })
    assert.deepStrictEqual(subjects(), [first])
    yield* TestClock.adjust("1 hour")
    yield* inRealTime(files)
    assert.strictEqual(yield* Queue.size(events), 0)
    files.become("second")
    written.at = 3
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual((yield* Queue.take(events))._tag, "Reloaded")
    assert.deepStrictEqual(subjects(), [second])
  }))

it.effect("tells of a new certificate that has expired already", () =>
  Effect.gen(function*() {
    yield* TestClock.setTime(1_763_805_600_000)
    const { asked, events, files } = yield* setUp()
    files.become("expired")
    yield* Queue.offer(asked, undefined)
    const event = yield* Queue.take(events)
    assert.strictEqual(event._tag, "Reloaded")
    const notices = event._tag === "Reloaded" ? event.notices : []
    assert.strictEqual(notices.length, 1)
    assert.match(String(notices[0]), /^--tls-cert \S+site\.pem \(CN=localhost.*\) expired on 2011-/)
  }))

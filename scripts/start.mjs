/**
 * `npm start`: runs the program from its sources, and the tour when nothing else is asked for.
 *
 * It runs in the process that `exec` put in place of npm's shell, so that a signal to npm arrives here and the exit code
 * arrives there. npm passes on every signal it gets, and a terminal sends Ctrl-C to npm and to this process alike: the
 * second copy, which comes within a millisecond, must not count as a second Ctrl-C, which ends a server at once.
 */
const samePressMillis = 100 // far more than npm needs to pass a signal on, far less than a hand needs to repeat it

const emit = process.emit
const lastAt = { SIGINT: -Infinity, SIGTERM: -Infinity }

process.emit = function(event, ...rest) {
  if (event in lastAt) {
    const now = performance.now()
    const copy = now - lastAt[event] < samePressMillis
    lastAt[event] = now
    if (copy) return true
  }
  return Reflect.apply(emit, this, [event, ...rest])
}

if (process.argv.length === 2) process.argv.push("tour")
process.argv[1] = new URL("../src/bin.ts", import.meta.url).pathname
await import("../src/bin.ts")

/**
 * Makes one signal of the two that a Ctrl-C becomes under npm.
 *
 * A terminal sends it to npm and to this process alike, and npm passes on what it gets. The copy comes within a
 * millisecond; taken for a second Ctrl-C, it would end a server at once that was asked to drain.
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

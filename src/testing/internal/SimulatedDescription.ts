/**
 * A network as lines of text: who listens, who dials, who is down, and how far each connection is.
 *
 * @since 0.1.0
 */
import { format as formatConnection } from "./SimulatedConnection.ts"
import type { SimulatedCore } from "./SimulatedCore.ts"

/** The listeners, dials and connections, one line each. @category formatting @since 0.1.0 */
export const describe = (core: SimulatedCore): ReadonlyArray<string> => [
  ...Array.from(core.hosts.values()).flatMap((host) =>
    host.isUp ? host.allListeners.map(({ port }) => `${host.name} listens on port ${port}`) : [`${host.name} is down`]
  ),
  ...Array.from(core.hosts.values()).flatMap(({ dials, name }) =>
    dials.size === 0 ? [] : [`${name} dials: ${dials.size}`]
  ),
  ...Array.from(core.connections.values(), (connection) => formatConnection(connection.look()))
]

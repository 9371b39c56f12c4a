/**
 * The list of connections: everybody who is in, waits, or shakes hands.
 */
import type * as Server from "../Server.ts"
import type { Entrance } from "./entrance.ts"
import type { Served } from "./served.ts"

/** In no order; made when somebody asks. */
export const roll = <In, Out>(
  connections: Iterable<Served<In, Out>>,
  { door, handshakes }: Entrance,
  now: number
): ReadonlyArray<Server.ConnectionStatus> => [
  ...Array.from(connections, (machine) => machine.status(now)),
  ...Array.from(handshakes.inside, (arrival) => arrival.status("handshaking", now)),
  ...Array.from(door.all, (arrival) => arrival.status("waiting", now))
]

/** The numbers of all sockets that are still open; not known while refused ones linger, which are in no list. */
export const openIds = <In, Out>(
  connections: Iterable<Served<In, Out>>,
  entrance: Entrance
): ReadonlyArray<number> | undefined =>
  entrance.door.isBusy ? undefined : roll(connections, entrance, 0).map(({ id }) => id)

import type { Supervisor } from '../process/supervisor.ts';
import type { Place } from '../topology/plan.ts';
import { ECHO_PORT, trafficCommand } from './traffic-program.ts';

/** Id of a place's echo server among the lab's processes. */
export function echoId(place: Place): string {
  return `${place.id}/echo`;
}

/** Starts the server that tells its clients its place's id and the address that it saw of them; TCP and UDP, both families. */
export function startEcho(supervisor: Supervisor, place: Place): void {
  supervisor.start({ id: echoId(place), place, argv: trafficCommand(['echo', '--name', place.id, '--port', String(ECHO_PORT)]) });
}

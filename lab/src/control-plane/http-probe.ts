import { tryCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import { nodeCommand } from '../toolchain.ts';
import type { Place } from '../topology/plan.ts';

/** Ends with status 0 when the page answers 200. */
const PROBE = `fetch(process.argv[1]).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`;

/** Whether a server on a place's loopback, which only a process of that place reaches, says that it is ready. */
export async function isReady(place: Place, port: number): Promise<boolean> {
  return (await tryCommand(enterPlace(place, nodeCommand(['-e', PROBE, `http://127.0.0.1:${port}/readyz`])))).status === 0;
}

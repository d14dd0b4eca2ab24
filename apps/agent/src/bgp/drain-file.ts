import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StateFolder } from '../state/state-folder.ts';

const FILE = 'bgp-drain.json';

/** Whether the node drains, as a file: an agent that starts again during maintenance must not draw traffic to the node. */
export class DrainFile {
  readonly #state: StateFolder;

  constructor(state: StateFolder) {
    this.#state = state;
  }

  /** False on a node that never drained, or whose file is broken. */
  load(): boolean {
    try {
      return (JSON.parse(readFileSync(join(this.#state.path, FILE), 'utf8')) as { draining?: unknown }).draining === true;
    } catch {
      return false;
    }
  }

  /** @throws CodedError STATE_NOT_SAVED */
  save(draining: boolean): void {
    this.#state.write(FILE, JSON.stringify({ draining }));
  }
}

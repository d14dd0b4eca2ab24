import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCidr } from '@isthmus/net';
import type { OptOutState } from '../encryption/node-opt-out.ts';
import type { StateFolder } from '../state/state-folder.ts';

const FILE = 'node.json';

/** What a node must know at once after a restart, even when no etcd answers. */
export interface NodeState {
  readonly podCidrs: readonly string[];
  readonly optOut?: OptOutState;
}

/** The node's own small file. */
export class NodeStateFile {
  readonly #state: StateFolder;

  constructor(state: StateFolder) {
    this.#state = state;
  }

  /** Undefined on a node that never ran, or whose file is broken: then the cluster says it again. */
  load(): NodeState | undefined {
    try {
      const state = JSON.parse(readFileSync(join(this.#state.path, FILE), 'utf8')) as NodeState;
      return state.podCidrs.length > 0 && state.podCidrs.every((cidr) => parseCidr(cidr) !== undefined) ? state : undefined;
    } catch {
      return undefined;
    }
  }

  /** @throws CodedError STATE_NOT_SAVED */
  save(state: NodeState): void {
    this.#state.write(FILE, JSON.stringify(state));
  }
}

import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseCidr } from '@isthmus/net';

/** What a node must know at once after a restart, even when no etcd answers. */
export interface NodeState {
  readonly podCidrs: readonly string[];
}

/** The node's own small file. */
export class NodeStateFile {
  readonly #path: string;

  constructor(stateDir: string) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    this.#path = join(stateDir, 'node.json');
  }

  /** Undefined on a node that never ran, or whose file is broken: then the cluster says it again. */
  load(): NodeState | undefined {
    try {
      const state = JSON.parse(readFileSync(this.#path, 'utf8')) as NodeState;
      return state.podCidrs.length > 0 && state.podCidrs.every((cidr) => parseCidr(cidr) !== undefined) ? state : undefined;
    } catch {
      return undefined;
    }
  }

  save(state: NodeState): void {
    const temporary = `${this.#path}.tmp`;
    const fd = openSync(temporary, 'w', 0o600);
    try {
      writeSync(fd, JSON.stringify(state));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, this.#path);
  }
}

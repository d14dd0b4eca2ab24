import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kindOf, parseResource, type Resource } from '@isthmus/model';
import { parseCidr } from '@isthmus/net';
import type { StateFolder } from '../state/state-folder.ts';
import type { BgpOriginRow } from './bgp-rows.ts';

const FILE = 'bgp.json';

/** What an agent must know to speak with its peers again before an etcd answers. */
export interface KeptBgp {
  readonly resources: readonly Resource[];
  /** What it announced, by key. */
  readonly origins: readonly (readonly [key: string, row: BgpOriginRow])[];
}

/**
 * The BGP of a node as a file, passwords included: the folder is for root alone. It counts while the machine runs: after a start of the machine no
 * pods are there that peers could be told of.
 */
export class KeptBgpFile {
  readonly #state: StateFolder;
  readonly #bootId: string;
  #saved = '';

  constructor(state: StateFolder, bootId: string) {
    this.#state = state;
    this.#bootId = bootId;
  }

  /** Undefined where none was saved since the machine started, and where the file is broken: then the cluster says it. */
  load(): KeptBgp | undefined {
    try {
      const { bootId, resources, origins } = JSON.parse(readFileSync(join(this.#state.path, FILE), 'utf8')) as KeptBgp & {
        bootId: unknown;
      };
      if (bootId !== this.#bootId || !origins.every(([, row]) => isOrigin(row))) return undefined;
      return { resources: resources.map((object) => parseResource(kindOf(object), object)), origins };
    } catch {
      return undefined;
    }
  }

  /** @throws CodedError STATE_NOT_SAVED */
  save({ resources, origins }: KeptBgp): void {
    const text = JSON.stringify({ bootId: this.#bootId, resources, origins });
    if (text === this.#saved) return;
    this.#state.write(FILE, text, 'until the machine ends');
    this.#saved = text;
  }
}

function isOrigin({ prefixes }: BgpOriginRow): boolean {
  return prefixes.every(({ prefix, entries }) => parseCidr(prefix) !== undefined && entries.every((entry) => typeof entry === 'string'));
}

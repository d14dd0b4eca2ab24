import {
  addrKeyOfText,
  type BpfMap,
  backendKeyOf,
  decodeServiceValue,
  encodeId,
  encodeServiceKey,
  PROTOCOL_NUMBER,
} from '@isthmus/datapath';
import type { NodePlace } from '@isthmus/lab';
import { parseL4Key } from '@isthmus/model';
import { agentMap } from '../mesh/agent-map.ts';

/** The services of a node's kernel: what a client that connects is given. */
export class ServiceMap {
  readonly #services: BpfMap;
  readonly #backends: BpfMap;

  constructor(node: NodePlace) {
    this.#services = agentMap(node, 'isth_services');
    this.#backends = agentMap(node, 'isth_backends');
  }

  /** Whether a frontend has exactly these backends, each under a slot that is counted. Keys as `l4Key` makes them. */
  holds(frontend: string, backends: readonly string[]): boolean {
    if (this.#count(frontend) !== backends.length) return false;
    const found = backends.map((_, index) => this.#backendAt(frontend, index + 1));
    return backends.every((backend) => found.includes(backend));
  }

  close(): void {
    this.#services.close();
    this.#backends.close();
  }

  #count(frontend: string): number {
    const head = this.#services.lookup(slotKey(frontend, 0));
    return head ? decodeServiceValue(head).count : 0;
  }

  #backendAt(frontend: string, slot: number): string | undefined {
    const row = this.#services.lookup(slotKey(frontend, slot));
    const backend = row && this.#backends.lookup(encodeId(decodeServiceValue(row).backend));
    return backend && backendKeyOf(backend);
  }
}

function slotKey(frontend: string, slot: number): Uint8Array {
  const { ip, port, protocol } = parseL4Key(frontend);
  return encodeServiceKey({ addr: addrKeyOfText(ip), port, protocol: PROTOCOL_NUMBER[protocol], scope: 0, slot });
}

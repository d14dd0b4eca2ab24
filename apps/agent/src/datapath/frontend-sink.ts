import { type FoundEntry, type IdPool, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import {
  addrKeyOfText,
  type BpfMap,
  decodeServiceKey,
  decodeServiceValue,
  encodeServiceKey,
  encodeServiceValue,
  l4KeyOf,
  PROTOCOL_NUMBER,
  textOfAddrKey,
} from '@isthmus/datapath';
import { parseL4Key } from '@isthmus/model';
import { type FrontendRow, frontendSlots, removalOperations, type SlotOperation, type SlotRow, slotOperations } from '@isthmus/service';

/** The service map, row by row: the order of writes within a frontend matters. */
export type ServiceMap = Pick<BpfMap, 'set' | 'unset' | 'lookup' | 'entries'>;

/** Makes the service map equal to the frontends. At no instant does a lookup find a slot that is not there. */
export class FrontendSink implements SinkTarget<FrontendRow> {
  readonly #map: ServiceMap;
  readonly #pools: { backends: IdPool; revnat: IdPool };

  constructor(map: ServiceMap, pools: { backends: IdPool; revnat: IdPool }) {
    this.#map = map;
    this.#pools = pools;
  }

  update(rows: readonly SinkRow<FrontendRow>[]): SinkFailures {
    return attempt(rows, ({ key, row }) => {
      const ids = {
        backendId: (backend: string) => this.#pools.backends.idOf(backend),
        revnatId: (own: string) => this.#pools.revnat.idOf(own),
      };
      this.#run(key, slotOperations(this.#present(key), frontendSlots(key, row, ids)));
    });
  }

  delete(keys: readonly string[]): SinkFailures {
    return attempt(
      keys.map((key) => ({ key })),
      ({ key }) => this.#run(key, removalOperations(this.#present(key))),
    );
  }

  *entries(): Generator<FoundEntry[]> {
    const found = new Set<string>();
    for (const [key] of this.#map.entries()) {
      const { addr, port, protocol } = decodeServiceKey(key);
      found.add(l4KeyOf(textOfAddrKey(addr), port, protocol));
    }
    yield [...found].map((key) => ({ key, scope: LOCAL_SCOPE }));
  }

  /** Highest slot that is there. A write that was cut short may have left more than slot 0 counts. */
  #present(key: string): number {
    const head = this.#map.lookup(slotKey(key, 0));
    let slot = head ? decodeServiceValue(head).count : 0;
    while (this.#map.lookup(slotKey(key, slot + 1))) slot++;
    return slot;
  }

  #run(key: string, operations: readonly SlotOperation[]): void {
    for (const operation of operations) {
      if (operation.kind === 'put') this.#map.set(slotKey(key, operation.row.slot), slotValue(operation.row));
      else this.#map.unset(slotKey(key, operation.slot));
    }
  }
}

function slotKey(key: string, slot: number): Uint8Array {
  const { ip, port, protocol } = parseL4Key(key);
  return encodeServiceKey({ addr: addrKeyOfText(ip), port, protocol: PROTOCOL_NUMBER[protocol], scope: 0, slot });
}

function slotValue({ backend, count, revnat }: SlotRow): Uint8Array {
  return encodeServiceValue({ backend, count, revnat, flags: 0, affinityTimeout: 0 });
}

function attempt<R extends { key: string }>(rows: readonly R[], fn: (row: R) => void): SinkFailures {
  const failures = new Map<string, unknown>();
  for (const row of rows) {
    try {
      fn(row);
    } catch (error) {
      failures.set(row.key, error);
    }
  }
  return failures;
}

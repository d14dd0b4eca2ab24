import { CodedError, type FoundEntry, type SinkFailures, type SinkTarget, type Table } from '@isthmus/core';
import {
  addrKeyOfText,
  type BpfMap,
  type ConnectedSocket,
  connectedSockets,
  decodeSockNatKey,
  decodeSockNatValue,
  destroySocket,
  encodeSockNatKey,
  l4KeyOf,
  NETNS_MISSING,
  NetlinkSocket,
  PROTOCOL_NUMBER,
  SockNatDirection,
  textOfAddrKey,
} from '@isthmus/datapath';
import { type EndpointRow, parseL4Key } from '@isthmus/model';
import { parseTranslationKey, translationKey } from '../tables/translations.ts';

/** Protocols whose sockets the kernel lets us close. */
const PROTOCOLS = ['TCP', 'UDP'] as const;
const DIAG_PROTOCOL = { TCP: 'tcp', UDP: 'udp' } as const;

/**
 * Closes sockets that were connected to a backend of a service which it no longer has: their clients get an error at once and connect again,
 * to a backend that is there. Sockets that connected to the backend's own address are left alone.
 */
export class SocketTerminator implements SinkTarget<true> {
  readonly #endpoints: Table<EndpointRow>;
  readonly #sockNat: Pick<BpfMap, 'lookup' | 'entries'>;
  readonly #scopeOf: (ip: string) => string;

  /** @param scopeOf scope of the cluster that an address belongs to, as the kernel has it */
  constructor(endpoints: Table<EndpointRow>, sockNat: Pick<BpfMap, 'lookup' | 'entries'>, scopeOf: (ip: string) => string) {
    this.#endpoints = endpoints;
    this.#sockNat = sockNat;
    this.#scopeOf = scopeOf;
  }

  update(): undefined {
    return undefined;
  }

  delete(keys: readonly string[]): SinkFailures {
    const frontendsOf = new Map<string, Set<string>>();
    for (const key of keys) {
      const { frontend, backend } = parseTranslationKey(key);
      const known = frontendsOf.get(backend);
      if (known) known.add(frontend);
      else frontendsOf.set(backend, new Set([frontend]));
    }
    const failures: unknown[] = [];
    for (const netns of this.#namespaces()) {
      try {
        this.#closeIn(netns, frontendsOf);
      } catch (error) {
        failures.push(error);
      }
    }
    // One namespace that cannot be looked into does not keep the others; all keys are tried again for it.
    if (failures.length > 0) throw failures[0];
    return new Map();
  }

  /**
   * Translations that sockets still use: an agent that was down when a backend went closes them now. One to another cluster's backend waits
   * until that cluster's backends are known.
   */
  *entries(): Generator<FoundEntry[]> {
    const found = new Map<string, string>();
    for (const [rawKey, rawValue] of this.#sockNat.entries()) {
      const from = decodeSockNatKey(rawKey);
      if (from.direction !== SockNatDirection.reverse) continue;
      const to = decodeSockNatValue(rawValue);
      const backend = textOfAddrKey(from.addr);
      const key = translationKey(l4KeyOf(textOfAddrKey(to.addr), to.port, from.protocol), l4KeyOf(backend, from.port, from.protocol));
      if (!found.has(key)) found.set(key, this.#scopeOf(backend));
    }
    yield Array.from(found, ([key, scope]) => ({ key, scope }));
  }

  /** The host's namespace and every pod's. */
  #namespaces(): (string | undefined)[] {
    return [undefined, ...new Set([...this.#endpoints.rows()].map(([, row]) => row.netns))];
  }

  #closeIn(netns: string | undefined, frontendsOf: ReadonlyMap<string, ReadonlySet<string>>): void {
    try {
      NetlinkSocket.using('sock-diag', netns, (diag) => {
        for (const protocol of PROTOCOLS) {
          const backendOf = (socket: ConnectedSocket): string => l4KeyOf(socket.ip, socket.port, PROTOCOL_NUMBER[protocol]);
          const candidates = connectedSockets(diag, DIAG_PROTOCOL[protocol], (socket) =>
            frontendsOf.has(l4KeyOf(socket.ip, socket.port, PROTOCOL_NUMBER[protocol])),
          );
          for (const socket of candidates)
            if (frontendsOf.get(backendOf(socket))?.has(this.#frontendOf(socket, backendOf(socket)))) destroySocket(diag, socket);
        }
      });
    } catch (error) {
      // The pod ended meanwhile, and its sockets with it.
      if (!(error instanceof CodedError && error.code === NETNS_MISSING.code)) throw error;
    }
  }

  /** The frontend that a socket asked for; empty when it was not translated. */
  #frontendOf(socket: ConnectedSocket, backend: string): string {
    const { ip, port, protocol } = parseL4Key(backend);
    const number = PROTOCOL_NUMBER[protocol];
    const key = { cookie: socket.cookie, addr: addrKeyOfText(ip), port, protocol: number, direction: SockNatDirection.reverse };
    const value = this.#sockNat.lookup(encodeSockNatKey(key));
    if (!value) return '';
    const { addr, port: frontendPort } = decodeSockNatValue(value);
    return l4KeyOf(textOfAddrKey(addr), frontendPort, number);
  }
}

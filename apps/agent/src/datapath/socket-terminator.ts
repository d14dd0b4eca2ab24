import { CodedError, type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkTarget, type Table } from '@isthmus/core';
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

  constructor(endpoints: Table<EndpointRow>, sockNat: Pick<BpfMap, 'lookup' | 'entries'>) {
    this.#endpoints = endpoints;
    this.#sockNat = sockNat;
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
    for (const netns of this.#namespaces()) this.#closeIn(netns, frontendsOf);
    return new Map();
  }

  /** Translations that sockets still use: an agent that was down when a backend went closes them now. */
  *entries(): Generator<FoundEntry[]> {
    const found = new Set<string>();
    for (const [rawKey, rawValue] of this.#sockNat.entries()) {
      const from = decodeSockNatKey(rawKey);
      if (from.direction !== SockNatDirection.reverse) continue;
      const to = decodeSockNatValue(rawValue);
      found.add(
        translationKey(
          l4KeyOf(textOfAddrKey(to.addr), to.port, from.protocol),
          l4KeyOf(textOfAddrKey(from.addr), from.port, from.protocol),
        ),
      );
    }
    yield [...found].map((key) => ({ key, scope: LOCAL_SCOPE }));
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

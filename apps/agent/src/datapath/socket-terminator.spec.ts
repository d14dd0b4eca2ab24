import { ManualClock, Store } from '@isthmus/core';
import { addrKeyOfText, encodeSockNatKey, encodeSockNatValue, SockNatDirection } from '@isthmus/datapath';
import type { EndpointRow } from '@isthmus/model';
import { SocketTerminator } from './socket-terminator.ts';

type Rows = [Uint8Array, Uint8Array][];

function terminator(rows: Rows, endpoints: readonly string[] = []) {
  const table = new Store(new ManualClock()).table<EndpointRow>('endpoints');
  endpoints.forEach((netns, i) => {
    table.put(String(i), { netns } as EndpointRow);
  });
  const map = {
    entries: function* () {
      yield* rows;
    },
    lookup: () => undefined,
  };
  return new SocketTerminator(table.table, map, (ip) => (ip.startsWith('10.2.') ? 'cluster-2' : 'local'));
}

function row(cookie: number, direction: SockNatDirection, from: string, to: string, protocol = 6): [Uint8Array, Uint8Array] {
  return [
    encodeSockNatKey({ cookie: BigInt(cookie), addr: addrKeyOfText(from), port: 80, protocol, direction }),
    encodeSockNatValue({ addr: addrKeyOfText(to), port: 443 } as Parameters<typeof encodeSockNatValue>[0]),
  ];
}

describe('SocketTerminator', () => {
  it('finds each translation in use once, in the scope of its backend’s cluster', () => {
    const { reverse, forward } = SockNatDirection;
    const found = [
      ...terminator([
        row(1, reverse, '10.1.0.5', '10.96.0.9'),
        row(2, reverse, '10.1.0.5', '10.96.0.9'),
        row(1, forward, '10.96.0.9', '10.1.0.5'),
        row(3, reverse, '10.2.0.5', '10.96.0.9', 17),
        row(4, reverse, 'fd00::5', 'fd00:96::9'),
      ]).entries(),
    ];
    expect(found).toEqual([
      [
        { key: 'TCP/10.96.0.9:443 -> TCP/10.1.0.5:80', scope: 'local' },
        { key: 'UDP/10.96.0.9:443 -> UDP/10.2.0.5:80', scope: 'cluster-2' },
        { key: 'TCP/[fd00:96::9]:443 -> TCP/[fd00::5]:80', scope: 'local' },
      ],
    ]);
  });

  it('does nothing for translations that come', () => {
    expect(terminator([]).update()).toBeUndefined();
  });

  it('passes over pods that have ended', () => {
    expect(terminator([], ['/run/netns/isthmus-spec-that-is-not-there']).delete(['TCP/10.96.0.9:443 -> TCP/10.1.0.5:80'])).toEqual(
      new Map(),
    );
  });
});

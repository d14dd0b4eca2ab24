import { declareSource, LOCAL_SCOPE, ManualClock, Store } from '@isthmus/core';
import type { LinkLocalNeighbour } from '@isthmus/datapath';
import type { BgpGatewayRow } from './bgp-tables.ts';
import { LinkNeighbours } from './link-neighbours.ts';

const neighbour = (ip: string, router = false): LinkLocalNeighbour => ({ ip, router });

function fixture() {
  const clock = new ManualClock();
  const store = new Store(clock, {
    onFault: ({ error }) => {
      throw error;
    },
  });
  const writer = declareSource<BgpGatewayRow>(store, 'bgp-link-neighbours', LOCAL_SCOPE);
  const devices = new Set<string>();
  const there = new Map<string, LinkLocalNeighbour[]>();
  const said: string[] = [];
  const failed: string[] = [];
  const broken = new Set<string>();
  const link = {
    announce: (device: string, ask: boolean): void => {
      if (broken.has(device)) throw new Error('down');
      said.push(`${clock.now() / 1000} ${device}${ask ? ', who are you?' : ''}`);
    },
    neighbours: (device: string) => there.get(device) ?? [],
  };
  const neighbours = new LinkNeighbours({ devices: () => devices, link, writer, clock, onFailed: (device) => failed.push(device) });
  const rows = (): Record<string, string> => Object.fromEntries([...writer.table.rows()].map(([key, { address }]) => [key, address]));
  return { clock, neighbours, devices, there, said, failed, broken, rows };
}

describe('neighbours on links', () => {
  it('are asked until they are known, and told of this node every ten seconds', () => {
    const { clock, neighbours, devices, there, said, rows } = fixture();
    devices.add('up0');
    neighbours.start();
    clock.advance(4_500);
    expect([neighbours.waiting, rows()]).toEqual([true, {}]);
    there.set('up0', [neighbour('fe80::1'), neighbour('fe80::2', true)]);
    clock.advance(500);
    expect([neighbours.waiting, rows()]).toEqual([false, { up0: 'fe80::2%up0' }]);
    clock.advance(20_000);
    expect(said).toEqual(['0 up0, who are you?', '4 up0, who are you?', '15 up0', '25 up0']);
    neighbours.stop();
    clock.advance(60_000);
    expect(said).toHaveLength(4);
  });

  it('stay while they are there, and while nobody is', () => {
    const { clock, neighbours, devices, there, rows } = fixture();
    devices.add('up0');
    there.set('up0', [neighbour('fe80::7')]);
    neighbours.start();
    for (const [now, expected] of [
      [[neighbour('fe80::1', true), neighbour('fe80::7')], 'fe80::7%up0'],
      [[], 'fe80::7%up0'],
      [[neighbour('fe80::1')], 'fe80::1%up0'],
    ] as const) {
      there.set('up0', [...now]);
      clock.advance(10_000);
      expect(rows()).toEqual({ up0: expected });
    }
  });

  it('are looked for as soon as they are wanted, and forgotten when they are not', () => {
    const { clock, neighbours, devices, there, rows } = fixture();
    there.set('up0', [neighbour('fe80::1')]);
    neighbours.changed();
    neighbours.start();
    devices.add('up0');
    neighbours.changed();
    clock.advance(0);
    expect(rows()).toEqual({ up0: 'fe80::1%up0' });
    devices.clear();
    neighbours.changed();
    clock.advance(0);
    expect([neighbours.waiting, rows()]).toEqual([false, {}]);
  });

  it('are told once that an interface does not work, and soon after it does', () => {
    const { clock, neighbours, devices, broken, said, failed } = fixture();
    devices.add('up0').add('up1');
    broken.add('up0');
    neighbours.start();
    clock.advance(2_500);
    broken.clear();
    clock.advance(500);
    expect([failed, said]).toEqual([['up0'], ['0 up1, who are you?', '3 up0, who are you?']]);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EndpointRow } from '@isthmus/model';
import { endpointFixture, temporaryState } from './endpoint-fixture.ts';
import { hostInterfaceName } from './pod-network.ts';
import { restoreEndpoints } from './restore-endpoints.ts';

const never = new AbortController().signal;

describe('restoreEndpoints', () => {
  let state: ReturnType<typeof temporaryState>;
  beforeEach(() => {
    state = temporaryState();
  });
  afterEach(() => state.remove());

  /** An agent that ran, made endpoints and was killed, and the next one over the same disk and kernel. */
  async function restarted(
    containers: readonly string[],
    meanwhile: (network: ReturnType<typeof endpointFixture>['network']) => void = () => {},
  ) {
    const before = endpointFixture(state.path);
    const rows: EndpointRow[] = [];
    for (const id of containers) rows.push(await before.service.add(before.request(id), never));
    meanwhile(before.network);
    const after = endpointFixture(state.path, {}, before.network);
    const broken: string[] = [];
    const restore = () => restoreEndpoints(after.dependencies, (file) => broken.push(file));
    return { ...after, rows, restore, broken };
  }

  it('takes over numbers, addresses and identities, and gives none of them away', async () => {
    const { rows, restore, endpoints, service, request } = await restarted(['c1', 'c2']);
    expect(endpoints.scopes.isSynced('local')).toBe(false);
    expect(restore()).toMatchObject({ restored: rows, gone: [] });
    expect([...endpoints.rows()].map(([, row]) => row)).toEqual(rows);
    expect(endpoints.scopes.isSynced('local')).toBe(true);
    const next = await service.add(request('c3'), never);
    expect([next.id, next.ipv4]).toEqual([3, '10.1.0.4']);
    await expect(service.add(request('c1'), never)).rejects.toMatchObject({ code: 'ENDPOINT_EXISTS' });
    expect(service.find('c1', 'eth0')?.id).toBe(1);
  });

  it('forgets endpoints whose device is gone, and lets their addresses rest', async () => {
    const { rows, restore, endpoints, saved, service, request } = await restarted(['c1', 'c2'], (network) =>
      network.devices.delete(hostInterfaceName('c1', 'eth0')),
    );
    expect(restore()).toMatchObject({ restored: [rows[1]], gone: [rows[0]] });
    expect([endpoints.size, saved().length]).toEqual([1, 1]);
    for (const id of ['c3', 'c4', 'c5']) {
      const next = await service.add(request(id), never);
      expect(next.ipv4).not.toBe(rows[0]?.ipv4);
      expect(next.id).not.toBe(rows[1]?.id);
    }
  });

  it('learns the index that a device has now', async () => {
    const { rows, restore, endpoints } = await restarted(['c1'], (network) => {
      for (const device of network.devices.values()) device.index = 999;
    });
    restore();
    expect(endpoints.get(String(rows[0]?.id))?.ifindex).toBe(999);
  });

  it('takes away what an ADD left that did not end', async () => {
    const { rows, restore, network, endpoints, saved } = await restarted(['c1']);
    writeFileSync(join(state.path, 'endpoints', '1.json'), JSON.stringify({ ...rows[0], identity: 0 }));
    expect(restore().gone).toHaveLength(1);
    expect([network.devices.size, endpoints.size, saved().length]).toEqual([0, 0, 0]);
  });

  it('starts in spite of files that are broken or contradict each other', async () => {
    const { rows, restore, broken, endpoints } = await restarted(['c1', 'c2']);
    const file = (name: string): string => join(state.path, 'endpoints', name);
    writeFileSync(file('7.json'), '{"id":7');
    writeFileSync(file('8.json'), 'null');
    writeFileSync(file('9.json'), '{}');
    writeFileSync(file('10.json'), JSON.stringify({ ...rows[0], id: 11 }));
    writeFileSync(file('2.json'), JSON.stringify({ ...rows[1], ipv4: rows[0]?.ipv4 }));
    expect(restore().restored).toHaveLength(1);
    expect(broken.sort()).toEqual([file('10.json'), file('7.json'), file('8.json'), file('9.json'), 'endpoint 2'].sort());
    expect(endpoints.scopes.isSynced('local')).toBe(true);
  });
});

import fc from 'fast-check';
import { GOLDEN } from '../testing/golden.ts';
import { flush, RemoteHarness } from '../testing/remote-cluster.harness.ts';
import { clusterConfigKey, ipKey, nodeKey, stateLayout } from './keys.ts';
import { rawValues } from './remote-values.ts';

const ipCanary = stateLayout('ips', 'cluster3').canary;
const ipPrefix = stateLayout('ips', 'cluster3').prefix;
const allIps = ['10.244.1.1', '10.244.1.2'];

const deletions = (h: RemoteHarness): string[] => h.sink.log.filter((line) => line.startsWith('delete')).sort();

describe('deletions are held back', () => {
  it('while the store cannot be read, and swept after it can', async () => {
    const h = await new RemoteHarness().ready();
    h.store.disconnect();
    await flush();
    expect([h.state, h.problem]).toEqual(['degraded', 'MESH_REMOTE_DISCONNECTED']);
    h.store.delete(ipKey(allIps[0]!));
    h.putIp('10.244.1.3');
    await flush();
    expect(h.sink.names('ips')).toEqual(allIps);
    h.store.connect();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.names('ips')).toEqual(['10.244.1.2', '10.244.1.3']);
  });

  it('while the configuration is missing; additions are not', async () => {
    const h = await new RemoteHarness().ready();
    h.expireConfig();
    await flush();
    expect([h.state, h.problem]).toEqual(['degraded', 'MESH_CONFIG_MISSING']);
    h.store.delete(...h.store.keys('cilium/state/'));
    h.putIp('10.244.1.3');
    await flush();
    expect(h.sink.names('ips')).toEqual([...allIps, '10.244.1.3']);
    expect(h.sink.names('nodes')).toHaveLength(2);
    expect(h.remote.status().kinds.ips.held).toBe(2);
    h.putConfig();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.names('ips')).toEqual(['10.244.1.3']);
    expect(h.sink.names('nodes')).toEqual([]);
    expect(h.sink.log.filter((line) => line === 'synced nodes')).toHaveLength(2); // it was listed again, not only believed
  });

  it('while the canary of the kind is missing', async () => {
    const h = await new RemoteHarness().ready();
    h.store.delete(ipCanary);
    await flush();
    h.store.delete(ipKey(allIps[0]!));
    await flush();
    expect([h.state, h.problem]).toEqual(['degraded', 'MESH_CANARY_MISSING']);
    expect(h.sink.names('ips')).toEqual(allIps);
    h.store.put(ipCanary, 'new');
    await flush();
    expect(h.sink.names('ips')).toEqual(['10.244.1.2']);
    expect(h.state).toBe('ready');
  });

  it('while the heartbeat is missed: an exporter that died loses its leases later', async () => {
    const h = await new RemoteHarness().ready();
    await h.missHeartbeats();
    h.store.delete(...h.store.keys('cilium/state/'));
    h.expireCanaries();
    h.expireConfig();
    await flush();
    expect(h.sink.names('ips')).toEqual(allIps);
    h.putRecords();
    h.putConfig();
    h.putCanaries();
    h.beat();
    await flush();
    expect(h.state).toBe('ready');
    expect(deletions(h)).toEqual([]);
  });

  it('when the etcd was wiped: nothing is deleted until the exporter has written everything again', async () => {
    const h = await new RemoteHarness().ready();
    h.store.disconnect();
    h.store.wipe();
    h.store.connect();
    await flush();
    expect(h.state).toBe('degraded');
    h.putConfig();
    h.beat();
    h.putIp(allIps[1]!);
    await flush();
    expect(h.sink.names('ips')).toEqual(allIps);
    h.putCanaries();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.names('ips')).toEqual([allIps[1]]);
  });

  it('when the records are seen gone before configuration and canary are', async () => {
    const h = await new RemoteHarness().ready();
    h.store.silently(() => h.store.delete(...h.store.keys('cilium/')));
    h.store.relist(ipPrefix);
    await flush(); // no other mirror has noticed
    expect([h.state, h.sink.names('ips')]).toEqual(['degraded', allIps]);
  });

  it('when only the configuration is gone, and no mirror has said so yet', async () => {
    const h = await new RemoteHarness().ready();
    h.store.silently(() => h.store.delete(clusterConfigKey('cluster3'), ...allIps.map(ipKey)));
    h.store.relist(ipPrefix);
    await flush();
    expect([h.problem, h.sink.names('ips')]).toEqual(['MESH_CONFIG_MISSING', allIps]);
  });

  it('when the canary was written anew after the listing: another listing decides', async () => {
    const h = await new RemoteHarness().ready();
    h.store.silently(() => h.store.delete(...h.store.keys('cilium/')));
    h.store.onGet.push(
      () => h.store.silently(() => h.putRecords()),
      () => h.store.silently(() => h.putCanaries()),
    );
    h.store.silently(() => h.putConfig());
    h.store.relist(ipPrefix);
    await flush();
    expect([h.state, h.sink.names('ips')]).toEqual(['ready', allIps]);
    expect(deletions(h)).toEqual([]);
    expect(h.sink.log.filter((line) => line === 'synced ips')).toHaveLength(2);
  });

  it('not for those that come back while they are being confirmed', async () => {
    const h = await new RemoteHarness().ready();
    h.store.silently(() => h.store.delete(...allIps.map(ipKey)));
    h.store.onGet.push(() => h.putIp(allIps[0]!));
    h.store.relist(ipPrefix);
    await flush();
    expect(deletions(h)).toEqual(['delete ips 10.244.1.2']);
  });

  it('when the read that confirms them fails, and goes on later', async () => {
    const h = await new RemoteHarness().ready();
    h.store.disconnect();
    h.store.delete(ipKey(allIps[0]!));
    h.store.onGet.push(() => {
      throw new Error('timed out');
    });
    h.store.connect();
    await flush();
    expect(h.sink.names('ips')).toEqual(allIps);
    expect(h.remote.status().kinds.ips.held).toBe(1);
    expect(h.remote.status().problem).toMatchObject({ code: 'MESH_REMOTE_DISCONNECTED', cause: new Error('timed out') });
    h.clock.advance(1_000);
    await flush();
    expect(h.problem).toBeUndefined();
    expect(h.sink.names('ips')).toEqual([allIps[1]]);
  });

  it('and cancelled when the record comes back', async () => {
    const h = await new RemoteHarness().ready();
    h.expireConfig();
    await flush();
    h.store.delete(ipKey(allIps[0]!));
    await flush();
    h.putIp(allIps[0]!);
    h.putConfig();
    await flush();
    expect(deletions(h)).toEqual([]);
  });

  it('for records of an earlier process until the first listing is confirmed', async () => {
    const h = new RemoteHarness({ adopted: { ips: ['10.244.1.1', '10.9.9.9'], serviceexports: ['a/b'] } });
    h.putRecords();
    h.putConfig();
    h.remote.start();
    await flush();
    expect(h.sink.log).not.toContain('delete ips 10.9.9.9');
    h.putCanaries();
    await flush();
    expect(deletions(h)).toEqual(['delete ips 10.9.9.9', 'delete serviceexports a/b']);
    expect(h.sink.log.indexOf('delete ips 10.9.9.9')).toBeLessThan(h.sink.log.indexOf('synced ips'));
  });
});

describe('hostile records', () => {
  it('are dropped and counted, and the rest arrives', async () => {
    const h = new RemoteHarness();
    h.putIp('10.244.1.9', 65536 + 300);
    h.store.put(ipKey('10.244.1.8'), 'garbage');
    h.store.put(ipKey('x'.repeat(5_000)), '{}');
    h.store.put(nodeKey('cluster3', 'big'), new Uint8Array(2_000_000));
    h.store.put(nodeKey('cluster3', '__proto__'), GOLDEN.nodeFull);
    await h.ready();
    expect(h.state).toBe('ready');
    expect(h.sink.names('ips')).toEqual(allIps);
    const dropped = h.remote.status().dropped.map(({ kind, reason, count }) => `${kind} ${reason} ${count}`);
    expect(dropped.sort()).toEqual(
      ['ips bad-json 1', 'ips bad-key 1', 'ips foreign-identity 1', 'nodes key-mismatch 1', 'nodes too-large 1'].sort(),
    );
  });

  it('do not displace a good version', async () => {
    const h = await new RemoteHarness().ready();
    h.putIp(allIps[0]!, 65536 + 300);
    await flush();
    expect(h.sink.rows.ips.get(allIps[0]!)).toMatchObject({ identity: 196915 });
  });

  it('beyond the limit are dropped', async () => {
    const h = await new RemoteHarness({ limits: { ips: 2 } }).ready();
    h.putIp('10.244.1.3');
    h.putIp(allIps[0]!, 196916);
    await flush();
    expect(h.sink.names('ips')).toEqual(allIps);
    expect(h.sink.rows.ips.get(allIps[0]!)).toMatchObject({ identity: 196916 });
    expect(h.remote.status().dropped).toEqual([{ kind: 'ips', reason: 'too-many', count: 1, last: '10.244.1.3', detail: '' }]);
  });

  it('beyond the limit of bytes are dropped, and smaller ones still taken', async () => {
    const h = await new RemoteHarness({ maxBytes: 5_000 }).ready();
    expect(h.remote.status().dropped).toEqual([]);
    const big = `${'x'.repeat(4_000)}`;
    h.store.put(
      nodeKey('cluster3', 'big'),
      GOLDEN.nodeBare.replace('"Name":"n"', '"Name":"big"').replace('"Source":""', `"Source":"${big}"`),
    );
    h.putIp('10.244.1.3');
    await flush();
    expect(h.sink.names('nodes')).toEqual(['worker-1', 'worker-2']);
    expect(h.sink.names('ips')).toContain('10.244.1.3');
    expect(h.remote.status().dropped).toEqual([{ kind: 'nodes', reason: 'too-much', count: 1, last: 'big', detail: '' }]);
  });

  it('pass a mirror only when they are good, and then byte for byte', () => {
    const bytes = new TextEncoder().encode(`${GOLDEN.ipPod.slice(0, -1)},"Future":1}`);
    const context = { cluster: 'cluster3', clusterId: 3, maxConnectedClusters: 255 as const, name: '10.244.1.79' };
    const read = rawValues.read('ips', bytes, context);
    expect(read).toEqual({ ok: true, value: bytes });
    expect(read.ok && read.value).not.toBe(bytes);
    expect(rawValues.read('ips', bytes, { ...context, clusterId: 4 })).toEqual({ ok: false, reason: 'foreign-identity' });
  });
});

describe('whatever happens', () => {
  type Step = (h: RemoteHarness) => void | Promise<void>;
  const ip = fc.nat(5).map((n) => `10.244.3.${n}`);
  const steps: fc.Arbitrary<[string, Step]> = fc.oneof(
    ip.map((a): [string, Step] => [`put ${a}`, (h) => h.putIp(a)]),
    ip.map((a): [string, Step] => [`delete ${a}`, (h) => h.store.delete(ipKey(a))]),
    ip.map((a): [string, Step] => [`garbage ${a}`, (h) => h.store.put(ipKey(a), 'garbage')]),
    fc.constantFrom<[string, Step]>(
      ['expire config', (h) => h.expireConfig()],
      ['put config', (h) => h.putConfig()],
      ['bad config', (h) => h.putConfig({ id: 1 })],
      ['expire canaries', (h) => h.expireCanaries()],
      ['put canaries', (h) => h.putCanaries()],
      ['disconnect', (h) => h.store.disconnect()],
      ['connect', (h) => h.store.connect()],
      ['beat', (h) => h.beat()],
      ['silence', (h) => h.missHeartbeats()],
      [
        'wipe',
        (h) => {
          h.store.disconnect();
          h.store.wipe();
          h.store.connect();
        },
      ],
      [
        'exporter dies',
        async (h) => {
          await h.missHeartbeats();
          h.store.delete(...h.store.keys('cilium/state/'));
          h.expireCanaries();
          h.expireConfig();
        },
      ],
    ),
  );

  it('nothing is deleted without configuration and canary, and in the end all agrees', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async (run) => {
        const h = await new RemoteHarness().ready();
        h.sink.onDelete = () => {
          expect(h.store.has(ipCanary)).toBe(true);
          expect(h.store.has(clusterConfigKey('cluster3'))).toBe(true);
        };
        for (const [, step] of run) {
          await step(h);
          await flush();
        }
        h.store.connect();
        for (const key of h.store.keys('cilium/state/ip/')) h.store.delete(key);
        h.putIp('10.244.9.9');
        h.putConfig();
        h.putCanaries();
        h.beat();
        await flush();
        expect(h.state).toBe('ready');
        expect(h.sink.names('ips')).toEqual(['10.244.9.9']);
      }),
      { numRuns: 150 },
    );
  });
});

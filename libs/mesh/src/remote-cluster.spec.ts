import { GOLDEN } from '../testing/golden.ts';
import { CONFIG, flush, RemoteHarness } from '../testing/remote-cluster.harness.ts';
import { HEARTBEAT_KEY, ipKey, serviceExportKey, stateLayout, wireGuardKey, wireGuardTargetKey } from './keys.ts';
import { RECORD_KINDS } from './record-kind.ts';

describe('connecting', () => {
  it('goes from nothing to ready and brings every record', async () => {
    const h = await new RemoteHarness().ready();
    expect(h.state).toBe('ready');
    expect(h.sink.names('nodes')).toEqual(['worker-1', 'worker-2']);
    expect(h.sink.names('identities')).toEqual(['196915', '196916']);
    expect(h.sink.names('ips')).toEqual(['10.244.1.1', '10.244.1.2']);
    expect(h.sink.names('services')).toEqual(['default/echo', 'default/echo2']);
    expect(h.sink.log.filter((line) => line.startsWith('synced')).sort()).toEqual(RECORD_KINDS.map((kind) => `synced ${kind}`).sort());
    expect(h.remote.status()).toMatchObject({ ready: true, problem: undefined, kinds: { ips: { synced: true, count: 2, held: 0 } } });
    expect(h.ids.owner(3)).toBe('cluster3');
  });

  it('waits for the store, then for the configuration, then for each canary', async () => {
    const h = new RemoteHarness();
    h.store.disconnect();
    h.remote.start();
    await flush();
    expect([h.state, h.problem]).toEqual(['connecting', 'MESH_REMOTE_DISCONNECTED']);
    h.store.connect();
    await flush();
    expect([h.state, h.problem]).toEqual(['fetching-config', 'MESH_CONFIG_MISSING']);
    h.putRecords();
    h.putConfig();
    await flush();
    expect([h.state, h.problem]).toEqual(['syncing', 'MESH_CANARY_MISSING']);
    expect(h.store.followed).not.toContain(stateLayout('ips', 'cluster3').prefix);
    h.store.put(stateLayout('ips', 'cluster3').canary, 't');
    await flush();
    expect(h.sink.names('ips')).toHaveLength(2);
    expect(h.sink.names('nodes')).toHaveLength(0);
    h.putCanaries();
    await flush();
    expect(h.state).toBe('ready');
  });

  it('goes back to connecting when the store is lost before there is a configuration', async () => {
    const h = new RemoteHarness();
    h.remote.start();
    await flush();
    h.store.disconnect();
    await flush();
    expect(h.state).toBe('connecting');
    h.store.connect();
    await flush();
    expect(h.state).toBe('fetching-config');
  });

  it('reads at once what an exporter without canaries publishes', async () => {
    const h = new RemoteHarness();
    h.putRecords();
    h.putConfig({ syncedCanaries: false });
    h.remote.start();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.names('nodes')).toHaveLength(2);
  });

  it('reads a mirror under its cache prefixes', async () => {
    const h = new RemoteHarness();
    h.putConfig({ cached: true });
    h.remote.start();
    await flush();
    const canary = 'cilium/synced/cluster3/cilium/cache/ip/v1';
    h.store.put('cilium/cache/ip/v1/cluster3/10.0.0.1', '{"IP":"10.0.0.1","HostIP":"","ID":196915,"Key":0,"Metadata":""}');
    h.store.put(canary, 't');
    await flush();
    expect(h.sink.names('ips')).toEqual(['10.0.0.1']);
  });

  it('reads service exports exactly when the cluster knows of them', async () => {
    const h = new RemoteHarness();
    h.putConfig({ serviceExportsEnabled: false });
    h.putCanaries();
    h.remote.start();
    await flush();
    expect([h.state, h.problem]).toEqual(['syncing', 'MESH_CANARY_MISSING']);
    h.store.put(stateLayout('serviceexports', 'cluster3').canary, 't');
    await flush();
    expect(h.state).toBe('ready');
    expect(h.store.followed).toContain(stateLayout('serviceexports', 'cluster3').prefix);
    h.putConfig();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.store.followed).not.toContain(stateLayout('serviceexports', 'cluster3').prefix);
    h.store.put(serviceExportKey('cluster3', 'a', 'b'), '{}');
    await flush();
    expect(h.remote.status().dropped).toEqual([]);
  });

  it('waits for canaries of WireGuard exactly when the cluster announces them', async () => {
    const h = await new RemoteHarness().ready();
    expect(h.state).toBe('ready');
    h.putConfig({ wireguard: true });
    await flush();
    expect([h.state, h.problem]).toEqual(['syncing', 'MESH_CANARY_MISSING']);
    h.store.put(wireGuardKey('cluster3', 'worker-1'), GOLDEN.wireGuard);
    h.store.put(wireGuardTargetKey('cluster3'), GOLDEN.wireGuardTarget);
    await flush();
    expect(h.sink.names('wireguard')).toEqual([]);
    h.putCanaries({ ...CONFIG, wireguard: true });
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.rows.wireguard.get('worker-1')).toMatchObject({ epochs: [{ epoch: 6 }, { epoch: 7 }] });
    expect(h.sink.rows.wireguardtargets.get('target')).toMatchObject({ target: 7 });
  });

  it('keeps the keys of a cluster whose exporter goes back to one that knows none', async () => {
    const h = new RemoteHarness();
    h.store.put(wireGuardKey('cluster3', 'worker-1'), GOLDEN.wireGuard);
    h.putConfig({ wireguard: true });
    h.putCanaries({ ...CONFIG, wireguard: true });
    h.remote.start();
    await flush();
    h.store.delete(stateLayout('wireguard', 'cluster3').canary, stateLayout('wireguardtargets', 'cluster3').canary);
    h.putConfig();
    await flush();
    expect([h.state, h.sink.names('wireguard')]).toEqual(['ready', ['worker-1']]);
    expect(h.sink.log.filter((line) => line.startsWith('delete'))).toEqual([]);
  });

  it('does not take the configuration of a cluster whose name begins alike', async () => {
    const h = new RemoteHarness();
    h.store.put('cilium/cluster-config/cluster3-b', '{"id":7}');
    h.remote.start();
    await flush();
    expect(h.state).toBe('fetching-config');
  });
});

describe('changing', () => {
  it('follows additions, changes and deletions', async () => {
    const h = await new RemoteHarness().ready();
    h.putIp('10.244.1.3');
    h.putIp('10.244.1.1', 196916);
    h.store.delete(ipKey('10.244.1.2'));
    await flush();
    expect(h.sink.names('ips')).toEqual(['10.244.1.1', '10.244.1.3']);
    expect(h.sink.rows.ips.get('10.244.1.1')).toMatchObject({ identity: 196916 });
  });

  it('does not ask the store about a few deletions, but does about many', async () => {
    const h = await new RemoteHarness().ready();
    const many = Array.from({ length: 40 }, (_, i) => `10.244.2.${i}`);
    for (const ip of many) h.putIp(ip);
    await flush();
    h.store.reads = [];
    h.store.delete(ipKey('10.244.1.1'));
    await flush();
    expect(h.store.reads).toEqual([]);
    h.store.delete(...many.map(ipKey));
    await flush();
    expect(h.store.reads).toEqual(['cilium/cluster-config/cluster3', stateLayout('ips', 'cluster3').canary]);
    expect(h.sink.names('ips')).toEqual(['10.244.1.2']);
  });

  it('drains and reserves anew when the id changes', async () => {
    const h = await new RemoteHarness().ready();
    h.putConfig({ id: 4 });
    await flush();
    expect(h.steps).toContain('validating id-changed draining');
    expect(h.sink.drains).toBe(1);
    expect([h.ids.owner(3), h.ids.owner(4)]).toEqual([undefined, 'cluster3']);
    expect(h.state).toBe('ready');
    expect(h.sink.names('nodes')).toEqual([]); // they carry id 3
    expect(h.remote.status().dropped).toContainEqual({
      kind: 'nodes',
      reason: 'foreign-cluster-id',
      count: 2,
      last: 'worker-2',
      detail: '',
    });
  });

  it('does not drain for an id that it cannot accept', async () => {
    const h = await new RemoteHarness().ready();
    h.putConfig({ id: 1 });
    await flush();
    expect([h.state, h.sink.drains, h.ids.owner(3)]).toEqual(['failed', 0, 'cluster3']);
  });

  it('does not mind a configuration that is written again unchanged', async () => {
    const h = await new RemoteHarness().ready();
    const steps = h.steps.length;
    h.putConfig();
    await flush();
    expect(h.steps).toHaveLength(steps);
  });
});

describe('ending', () => {
  it('stop leaves everything as it is', async () => {
    const h = await new RemoteHarness().ready();
    h.remote.stop();
    await flush();
    h.store.delete(ipKey('10.244.1.1'));
    h.clock.advance(1_000_000);
    await flush();
    expect([h.state, h.sink.drains, h.store.followed]).toEqual(['stopped', 0, []]);
    expect(h.sink.names('ips')).toHaveLength(2);
    h.remote.remove();
    await flush();
    expect(h.sink.drains).toBe(0);
  });

  it('remove drains, gives the id back, and can be followed by a new start', async () => {
    const h = await new RemoteHarness().ready();
    h.remote.remove();
    expect(h.state).toBe('removing');
    await flush();
    expect([h.state, h.sink.drains, h.ids.owner(3), h.store.followed]).toEqual(['removed', 1, undefined, []]);
    h.remote.start();
    await flush();
    expect(h.state).toBe('ready');
    expect(h.sink.names('ips')).toHaveLength(2);
  });

  it('remove works in every state', async () => {
    const waiting = new RemoteHarness();
    const connecting = new RemoteHarness();
    connecting.store.disconnect();
    connecting.remote.start();
    const fetching = new RemoteHarness();
    fetching.remote.start();
    const failed = new RemoteHarness();
    failed.putConfig({ id: 1 });
    failed.remote.start();
    const degraded = await new RemoteHarness().ready();
    degraded.expireConfig();
    await flush();
    const all = [waiting, connecting, fetching, failed, degraded];
    expect(all.map((h) => h.state)).toEqual(['waiting', 'connecting', 'fetching-config', 'failed', 'degraded']);
    for (const h of all) h.remote.remove();
    await flush();
    expect(all.map((h) => h.state)).toEqual(all.map(() => 'removed'));
  });

  it('tries to drain again until it works', async () => {
    const h = await new RemoteHarness().ready();
    h.sink.onDrain = () => Promise.reject(new Error('no space'));
    h.remote.remove();
    await flush();
    expect([h.state, h.problem]).toEqual(['removing', 'MESH_DRAIN_FAILED']);
    h.sink.onDrain = () => {};
    h.clock.advance(2_000);
    await flush();
    expect(h.state).toBe('removed');
  });
});

describe('liveness', () => {
  it('is the heartbeat changing, on the monotonic clock', async () => {
    const h = await new RemoteHarness().ready();
    h.clock.stepWall(86_400_000);
    h.clock.advance(119_000);
    await flush();
    expect(h.state).toBe('ready');
    h.beat();
    await flush();
    h.clock.advance(119_000);
    await flush();
    expect(h.remote.status()).toMatchObject({ ready: true, heartbeatAgeMs: 119_000 });
    await h.missHeartbeats();
    expect([h.state, h.problem]).toEqual(['degraded', 'MESH_REMOTE_STALE']);
    h.beat();
    await flush();
    expect(h.state).toBe('ready');
  });

  it('is not the same heartbeat written again', async () => {
    const h = await new RemoteHarness().ready();
    h.clock.advance(100_000);
    h.store.put(HEARTBEAT_KEY, 'beat 1');
    await flush();
    h.clock.advance(30_000);
    await flush();
    expect(h.state).toBe('degraded');
  });

  it('passes changes of the heartbeat on', async () => {
    const h = await new RemoteHarness().ready();
    h.beat();
    await flush();
    expect(h.sink.log.filter((line) => line.startsWith('heartbeat'))).toEqual(['heartbeat beat 1', 'heartbeat beat 2']);
  });
});

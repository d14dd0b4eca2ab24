import { ManualClock } from '@isthmus/core';
import type { CiliumBGPNodeConfig, ResourceStore } from '@isthmus/model';
import type { BgpPeerView } from './bgp-view.ts';
import { NodeConfigStatus } from './node-config-status.ts';

const TOR: BgpPeerView = {
  instance: 'rack',
  peer: 'tor',
  localAsn: 65_001,
  peerAsn: 65_002,
  address: '10.0.0.2',
  port: 179,
  state: 'established',
  uptimeSeconds: 5,
  holdTimeSeconds: 90,
  keepaliveSeconds: 30,
  routes: [{ family: 'ipv4', received: 3, advertised: 1 }],
  stale: [],
  authenticated: false,
};

function fixture(present = true) {
  const clock = new ManualClock();
  const config = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumBGPNodeConfig',
    metadata: { name: 'n1' },
    spec: { bgpInstances: [{ name: 'rack' }] },
  };
  let object: CiliumBGPNodeConfig | undefined = present ? config : undefined;
  let writes = 0;
  const update = async (
    _kind: unknown,
    _name: string,
    _namespace: unknown,
    change: (current: CiliumBGPNodeConfig | undefined) => unknown,
  ) => {
    const next = change(object) as CiliumBGPNodeConfig | undefined;
    if (next === undefined) return undefined;
    writes++;
    object = next;
    return next;
  };
  const state = { known: true, peers: [TOR], failures: [] as string[] };
  const reporter = new NodeConfigStatus({
    resources: { update } as unknown as ResourceStore,
    node: 'n1',
    clock,
    log: { debug: () => undefined } as never,
    isKnown: () => state.known,
    peers: () => state.peers,
    failures: () => state.failures,
  });
  const create = (): void => {
    object = config;
  };
  return { clock, reporter, state, create, status: () => object?.status, writes: () => writes, spec: () => object?.spec };
}

describe('status of a node config', () => {
  it('says how each session is, in the words of Cilium', async () => {
    const { reporter, status, spec, clock } = fixture();
    await reporter.report();
    expect(status()).toEqual({
      bgpInstances: [
        {
          name: 'rack',
          localASN: 65_001,
          peers: [
            {
              name: 'tor',
              peerAddress: '10.0.0.2',
              peerASN: 65_002,
              peeringState: 'established',
              timers: { appliedHoldTimeSeconds: 90, appliedKeepaliveSeconds: 30 },
              establishedTime: new Date(clock.wall() - 5_000).toISOString().replace('.000', ''),
              routeCount: [{ afi: 'ipv4', safi: 'unicast', received: 3, advertised: 1 }],
            },
          ],
        },
      ],
    });
    expect(spec()).toEqual({ bgpInstances: [{ name: 'rack' }] });
  });

  it('is written when something changed, and not because time passes', async () => {
    const { reporter, state, writes, clock } = fixture();
    await reporter.report();
    clock.advance(10_400);
    state.peers = [{ ...TOR, uptimeSeconds: 15 }];
    await reporter.report();
    expect(writes()).toBe(1);
    state.peers = [{ ...TOR, uptimeSeconds: 15, routes: [{ family: 'ipv4', received: 4, advertised: 1 }] }];
    await reporter.report();
    expect(writes()).toBe(2);
  });

  it('tells a new session by its time', async () => {
    const { reporter, state, status, clock } = fixture();
    await reporter.report();
    const { uptimeSeconds: _, ...down } = TOR;
    state.peers = [{ ...down, state: 'active' }];
    await reporter.report();
    expect(status()?.bgpInstances?.[0]?.peers?.[0]).not.toHaveProperty('establishedTime');
    clock.advance(60_000);
    state.peers = [{ ...TOR, uptimeSeconds: 1 }];
    await reporter.report();
    expect(Date.parse(status()?.bgpInstances?.[0]?.peers?.[0]?.establishedTime ?? '')).toBe(clock.wall() - 1_000);
  });

  it('says in a condition what could not be done, from when on, and when that is over', async () => {
    const { reporter, state, status, clock } = fixture();
    await reporter.report();
    expect(status()).not.toHaveProperty('conditions');
    state.failures = ['rack/tor: its password is missing'];
    await reporter.report();
    const [first] = status()?.conditions ?? [];
    expect(first).toMatchObject({ type: 'cilium.io/BGPReconcileError', status: 'True', message: 'rack/tor: its password is missing' });
    clock.advance(60_000);
    state.failures = ['rack/tor: it has no localASN'];
    await reporter.report();
    expect(status()?.conditions).toEqual([{ ...first, message: 'rack/tor: it has no localASN' }]);
    state.failures = [];
    await reporter.report();
    expect(status()?.conditions).toMatchObject([{ status: 'False', message: '' }]);
    expect(status()?.conditions?.[0]?.lastTransitionTime).not.toBe(first?.lastTransitionTime);
  });

  it('waits until all that is configured is known', async () => {
    const { reporter, state, writes, status } = fixture();
    Object.assign(state, { known: false, failures: ['rack/tor: there is no CiliumBGPPeerConfig tor'] });
    await reporter.report();
    expect(writes()).toBe(0);
    Object.assign(state, { known: true, failures: [] });
    await reporter.report();
    expect([writes(), status()?.conditions]).toEqual([1, undefined]);
  });

  it('makes no object that the operator has not made, and writes once there is one', async () => {
    const { reporter, writes, create } = fixture(false);
    await reporter.report();
    expect(writes()).toBe(0);
    create();
    await reporter.report();
    expect(writes()).toBe(1);
  });
});

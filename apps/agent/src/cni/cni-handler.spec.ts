import { CodedError } from '@isthmus/core';
import { NETNS_ENTER, NETNS_MISSING } from '@isthmus/datapath';
import { IPAM_POOL_EXHAUSTED } from '@isthmus/ipam';
import { KV_UNREACHABLE } from '@isthmus/kvstore';
import type { EndpointRow } from '@isthmus/model';
import { ENDPOINT_EXISTS, notReady, POD_NOT_FOUND } from '../agent.errors.ts';
import type { Attachment, EndpointRequest, EndpointService } from '../endpoint/endpoint-service.ts';
import type { PodNetworkState } from '../endpoint/pod-network.ts';
import { CniHandler, type Unavailable } from './cni-handler.ts';

const row = {
  id: 1,
  network: 'n',
  containerId: 'c1',
  podInterface: 'eth0',
  namespace: 'shop',
  pod: 'web-0',
  interfaceName: 'isth01',
  ifindex: 7,
  netns: '/run/netns/p',
  mac: '0a:00:00:00:00:01',
  ipv4: '10.1.0.5',
  ipv6: '',
  identity: 65_800,
} as EndpointRow;
const state = {
  host: { index: 7, up: true },
  pod: { peerIndex: 7, mac: row.mac, up: true },
  addresses: ['10.1.0.5/32'],
  routes: [],
} as unknown as PodNetworkState;
const prevResult = { cniVersion: '1.1.0', ips: [{ address: '10.1.0.5/32' }] };

interface Circumstances {
  readonly rows?: EndpointRow[];
  readonly state?: PodNetworkState;
  readonly waitingFor?: string;
  readonly unavailable?: Unavailable;
  readonly addFails?: unknown;
  readonly settleFails?: unknown;
  readonly removeFails?: ReadonlySet<string>;
  /** Attachments of which a DEL is queued. */
  readonly queued?: readonly string[];
}

/** The handler over endpoints of which only the outcome matters. */
function fixture(with_: Circumstances = {}) {
  const rows = with_.rows ?? [row];
  const calls: string[] = [];
  const queued = new Set(with_.queued);
  const name = ({ containerId, podInterface }: Attachment): string => `${containerId}/${podInterface}`;
  const endpoints = {
    find: (containerId: string, podInterface: string) => rows.find((each) => name(each) === name({ containerId, podInterface })),
    add: async (request: EndpointRequest) => {
      calls.push(`add ${request.containerId} ${request.namespace}/${request.pod} to ${request.network}`);
      if (with_.addFails) throw with_.addFails;
      return row;
    },
    remove: async (containerId: string, podInterface: string) => {
      calls.push(`remove ${containerId}/${podInterface}`);
      if (with_.removeFails?.has(containerId)) throw new Error(`${containerId} is busy`);
      return true;
    },
    settle: async () => {
      if (with_.settleFails) throw with_.settleFails;
    },
  } as unknown as EndpointService;
  const handler = new CniHandler({
    endpoints,
    network: { inspect: () => with_.state ?? state },
    node: { gateway: () => ({ ipv4: '10.1.0.1', ipv6: '' }) },
    deletes: { has: (attachment) => queued.has(name(attachment)), done: (attachment) => queued.delete(name(attachment)) },
    attachments: () => rows,
    waitingFor: () => with_.waitingFor,
    unavailable: () => with_.unavailable,
  });
  const call = async (command: string, changes: object = {}, config: object = {}) => {
    const answer = await handler.handle(
      {
        command,
        containerId: 'c1',
        netns: '/run/netns/p',
        ifname: 'eth0',
        args: 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0',
        path: '',
        config: { cniVersion: '1.1.0', name: 'n', type: 't', ...config },
        ...changes,
      },
      new AbortController().signal,
    );
    return { status: answer.status, ...answer.body } as Record<string, unknown>;
  };
  return { calls, call, handler, queued };
}

describe('CniHandler', () => {
  it('answers ADD with the endpoint as the caller’s version has it', async () => {
    const { call, calls } = fixture();
    expect(await call('ADD', {}, { cniVersion: '0.4.0' })).toMatchObject({
      status: 200,
      cniVersion: '0.4.0',
      ips: [{ version: '4', address: '10.1.0.5/32', gateway: '10.1.0.1' }],
    });
    expect(calls).toEqual(['add c1 shop/web-0 to n']);
  });

  it('answers ADD behind another plugin with what that one made, then its own', async () => {
    const before = { interfaces: [{ name: 'dummy0', sandbox: '/run/netns/p' }], ips: [{ address: '192.0.2.1/24', interface: 0 }] };
    expect(await fixture().call('ADD', {}, { prevResult: before })).toMatchObject({
      interfaces: [{ name: 'dummy0' }, { name: 'isth01' }, { name: 'eth0' }],
      ips: [
        { address: '192.0.2.1/24', interface: 0 },
        { address: '10.1.0.5/32', interface: 2 },
      ],
    });
  });

  it('refuses ADD before the agent is ready', async () => {
    const { call, calls } = fixture({ waitingFor: 'its pod CIDRs' });
    expect(await call('ADD')).toMatchObject({ code: 11, msg: expect.stringContaining('AGENT_NOT_READY') });
    expect(calls).toEqual([]);
  });

  it('does a queued DEL of the same attachment before ADD, and never after', async () => {
    const { call, calls, queued } = fixture({ queued: ['c1/eth0', 'c2/eth0'] });
    await call('ADD');
    expect(calls).toEqual(['remove c1/eth0', 'add c1 shop/web-0 to n']);
    expect([...queued]).toEqual(['c2/eth0']);
    const stuck = fixture({ queued: ['c1/eth0'], removeFails: new Set(['c1']) });
    expect(await stuck.call('ADD')).toMatchObject({ status: 500 });
    expect([stuck.calls, [...stuck.queued]]).toEqual([['remove c1/eth0'], ['c1/eth0']]);
  });

  it.each([
    [11, new CodedError(KV_UNREACHABLE, 'etcd is away')],
    [100, new CodedError(IPAM_POOL_EXHAUSTED, 'full')],
    [100, new CodedError(POD_NOT_FOUND, 'no pod')],
    [100, new CodedError(ENDPOINT_EXISTS, 'twice')],
    [3, new CodedError(NETNS_MISSING, 'gone')],
    [4, new CodedError(NETNS_ENTER, 'no namespace')],
    [100, new TypeError('a defect')],
  ])('answers ADD with code %i for %s', async (code, addFails) => {
    expect(await fixture({ addFails }).call('ADD')).toMatchObject({ status: 500, code, details: expect.any(String) });
  });

  it.each([
    [1, 'ADD', {}, { cniVersion: '9.9.9' }],
    [1, 'ADD', {}, { cniVersion: undefined }],
    [6, 'ADD', {}, { cniVersion: 1.1 }],
    [1, 'CHECK', {}, { cniVersion: '0.3.1' }],
    [2, 'ADD', {}, { ipam: { type: 'host-local' } }],
    [4, 'ADD', { containerId: '/' }, {}],
    [4, 'ADD', { args: '' }, {}],
    [4, 'ADD', { netns: 7 }, {}],
    [7, 'ADD', {}, { name: '' }],
    [7, 'ADD', {}, { dns: { search: 'x' } }],
    [7, 'ADD', {}, { prevResult: { ips: [{}] } }],
    [7, 'CHECK', {}, {}],
    [7, 'GC', {}, {}],
    [3, 'CHECK', { containerId: 'c9' }, { prevResult }],
    [1, 'STATUS', {}, { cniVersion: '1.0.0' }],
  ])('answers with code %i to %s with %j %j', async (code, command, changes, config) => {
    const { call, calls } = fixture();
    expect(await call(command, changes, config)).toMatchObject({ status: 500, code });
    expect(calls).toEqual([]);
  });

  it('answers in the caller’s version even when the rest of the request is not valid', async () => {
    expect(await fixture().call('ADD', {}, { cniVersion: '0.4.0', name: '' })).toMatchObject({ cniVersion: '0.4.0' });
    for (const body of [undefined, null, 'x', []])
      expect(await fixture().handler.handle(body, new AbortController().signal)).toMatchObject({
        status: 500,
        body: { cniVersion: '1.1.0', code: 6 },
      });
  });

  it('removes at DEL, also what is unknown, without being ready, and whatever else the configuration has', async () => {
    const { call, calls, queued } = fixture({ waitingFor: 'etcd', queued: ['c1/eth0'] });
    expect(await call('DEL', { netns: '' }, { ipam: { type: 'x' }, dns: 7, prevResult: { ips: 'x' } })).toEqual({ status: 200 });
    expect(await call('DEL', { containerId: 'c9', netns: '', args: '' })).toEqual({ status: 200 });
    expect(calls).toEqual(['remove c1/eth0', 'remove c9/eth0']);
    expect([...queued]).toEqual([]);
  });

  it('checks devices, addresses, identity, and that the datapath has them', async () => {
    const check = (with_: Circumstances, config: object = { prevResult }) => fixture(with_).call('CHECK', {}, config);
    expect(await check({})).toEqual({ status: 200 });
    expect(await check({}, { prevResult: { ips: [{ address: '10.1.0.6/32' }] } })).toMatchObject({
      code: 100,
      msg: expect.stringContaining('10.1.0.6'),
    });
    expect(await check({ rows: [{ ...row, identity: 0 }] })).toMatchObject({ code: 100 });
    expect(await check({ state: { ...state, host: undefined } })).toMatchObject({ code: 100, msg: expect.stringContaining('isth01') });
    expect(await check({ settleFails: new Error('map full') })).toMatchObject({ code: 100, msg: 'map full' });
    expect(await check({ waitingFor: 'the datapath' })).toMatchObject({ code: 11 });
  });

  describe('at GC', () => {
    const rows = ['c1', 'c2', 'c3', 'c4'].map((containerId) => ({ ...row, containerId }));
    const keep = {
      'cni.dev/valid-attachments': [
        { containerID: 'c1', ifname: 'eth0' },
        { containerID: 'c4', ifname: 'net1' },
      ],
    };

    it('collects what the runtime does not name', async () => {
      const { call, calls } = fixture({ rows });
      expect(await call('GC', {}, keep)).toEqual({ status: 200 });
      expect(calls).toEqual(['remove c2/eth0', 'remove c3/eth0', 'remove c4/eth0']);
    });

    it('collects all when nothing is valid, be it an empty list or none', async () => {
      for (const valid of [[], null]) {
        const { call, calls } = fixture({ rows });
        expect(await call('GC', {}, { 'cni.dev/valid-attachments': valid })).toEqual({ status: 200 });
        expect(calls).toHaveLength(4);
      }
    });

    it('leaves alone what belongs to other networks, or is not known to belong to this one', async () => {
      const { call, calls } = fixture({
        rows: [
          { ...row, network: 'other' },
          { ...row, containerId: 'c2', network: '' },
        ],
      });
      expect(await call('GC', {}, { 'cni.dev/valid-attachments': [] })).toEqual({ status: 200 });
      expect(calls).toEqual([]);
    });

    it('goes on after one that cannot go, and reports all of them', async () => {
      const { call, calls } = fixture({ rows, removeFails: new Set(['c2', 'c3']) });
      expect(await call('GC', {}, keep)).toMatchObject({
        code: 100,
        msg: 'ENDPOINTS_REMAIN: 2 remain: c2 eth0: c2 is busy; c3 eth0: c3 is busy',
        details: expect.stringContaining('next GC'),
      });
      expect(calls).toHaveLength(3);
    });

    it('collects nothing before it knows what there is', async () => {
      const { call, calls } = fixture({ rows, waitingFor: 'the datapath' });
      expect(await call('GC', {}, keep)).toMatchObject({ code: 11 });
      expect(calls).toEqual([]);
    });
  });

  it('says at STATUS whether it can serve', async () => {
    expect(await fixture().call('STATUS')).toEqual({ status: 200 });
    const error = notReady('its pod CIDRs');
    expect(await fixture({ unavailable: { error, limited: false } }).call('STATUS')).toMatchObject({
      code: 50,
      msg: expect.stringContaining('pod CIDRs'),
    });
    expect(await fixture({ unavailable: { error, limited: true } }).call('STATUS')).toMatchObject({ code: 51 });
  });
});

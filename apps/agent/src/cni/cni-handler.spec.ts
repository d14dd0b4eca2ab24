import { CodedError } from '@isthmus/core';
import { IPAM_POOL_EXHAUSTED } from '@isthmus/ipam';
import { KV_UNREACHABLE } from '@isthmus/kvstore';
import type { EndpointRow } from '@isthmus/model';
import { POD_NOT_FOUND } from '../agent.errors.ts';
import type { EndpointRequest, EndpointService } from '../endpoint/endpoint-service.ts';
import { CniHandler } from './cni-handler.ts';

const row = {
  id: 1,
  containerId: 'c1',
  podInterface: 'eth0',
  namespace: 'shop',
  pod: 'web-0',
  interfaceName: 'isth01',
  ipv4: '10.1.0.5',
  ipv6: '',
  identity: 65_800,
} as EndpointRow;

/** The handler over endpoints of which only the outcome matters. */
function fixture(with_: { rows?: EndpointRow[]; waitingFor?: string; addFails?: unknown; removeFails?: ReadonlySet<string> } = {}) {
  const rows = with_.rows ?? [row];
  const calls: string[] = [];
  const endpoints = {
    find: (containerId: string, podInterface: string) =>
      rows.find((each) => each.containerId === containerId && each.podInterface === podInterface),
    add: async (request: EndpointRequest) => {
      calls.push(`add ${request.containerId} ${request.namespace}/${request.pod}`);
      if (with_.addFails) throw with_.addFails;
      return row;
    },
    remove: async (containerId: string, podInterface: string) => {
      calls.push(`remove ${containerId}/${podInterface}`);
      if (with_.removeFails?.has(containerId)) throw new Error(`${containerId} stays`);
      return true;
    },
  } as unknown as EndpointService;
  const devices = new Set(rows.map((each) => each.interfaceName));
  const handler = new CniHandler({
    endpoints,
    network: { find: (name) => (devices.has(name) ? { index: 7 } : undefined) },
    node: { gateway: () => ({ ipv4: '10.1.0.1', ipv6: '' }) },
    attachments: () => rows,
    waitingFor: () => with_.waitingFor,
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
  return { calls, devices, call, handler };
}

describe('CniHandler', () => {
  it('answers ADD with the endpoint as the caller’s version has it', async () => {
    const { call, calls } = fixture();
    expect(await call('ADD', {}, { cniVersion: '0.4.0' })).toMatchObject({
      status: 200,
      cniVersion: '0.4.0',
      ips: [{ version: '4', address: '10.1.0.5/32', gateway: '10.1.0.1' }],
    });
    expect(calls).toEqual(['add c1 shop/web-0']);
  });

  it('refuses ADD behind another plugin, and before the agent is ready', async () => {
    expect(await fixture().call('ADD', {}, { prevResult: {} })).toMatchObject({ status: 500, code: 7 });
    const waiting = fixture({ waitingFor: 'its pod CIDRs' });
    expect(await waiting.call('ADD')).toMatchObject({ code: 11, msg: expect.stringContaining('AGENT_NOT_READY') });
    expect(waiting.calls).toEqual([]);
  });

  it.each([
    [11, new CodedError(KV_UNREACHABLE, 'etcd is away')],
    [100, new CodedError(IPAM_POOL_EXHAUSTED, 'full')],
    [100, new CodedError(POD_NOT_FOUND, 'no pod')],
    [100, new TypeError('a defect')],
  ])('answers ADD with code %i for %s', async (code, addFails) => {
    expect(await fixture({ addFails }).call('ADD')).toMatchObject({ status: 500, code, details: expect.any(String) });
  });

  it.each([
    [1, 'ADD', {}, { cniVersion: '9.9.9' }],
    [1, 'CHECK', {}, { cniVersion: '0.3.1' }],
    [4, 'ADD', { containerId: '/' }, {}],
    [4, 'ADD', { args: '' }, {}],
    [7, 'ADD', {}, { name: '' }],
    [7, 'GC', {}, {}],
    [3, 'CHECK', { containerId: 'c9' }, {}],
    [1, 'STATUS', {}, { cniVersion: '1.0.0' }],
  ])('answers with code %i to %s with %j %j', async (code, command, changes, config) => {
    expect(await fixture().call(command, changes, config)).toMatchObject({ status: 500, code });
  });

  it('answers in the caller’s version even when the rest of the request is not valid', async () => {
    expect(await fixture().call('ADD', {}, { cniVersion: '0.4.0', name: '' })).toMatchObject({ cniVersion: '0.4.0' });
    for (const body of [undefined, null, 'x', []])
      expect(await fixture().handler.handle(body, new AbortController().signal)).toMatchObject({
        status: 500,
        body: { cniVersion: '1.1.0', code: 7 },
      });
  });

  it('removes at DEL, also what is unknown, and without being ready', async () => {
    const { call, calls } = fixture({ waitingFor: 'etcd' });
    expect(await call('DEL', { netns: '' })).toEqual({ status: 200 });
    expect(await call('DEL', { containerId: 'c9', netns: '', args: '' })).toEqual({ status: 200 });
    expect(calls).toEqual(['remove c1/eth0', 'remove c9/eth0']);
  });

  it('checks device, addresses and identity', async () => {
    const ips = [{ address: '10.1.0.5/32' }];
    expect(await fixture().call('CHECK', {}, { prevResult: { ips } })).toEqual({ status: 200 });
    expect(await fixture().call('CHECK', {}, { prevResult: { ips: [{ address: '10.1.0.6/32' }] } })).toMatchObject({
      code: 100,
      msg: expect.stringContaining('10.1.0.6'),
    });
    expect(await fixture({ rows: [{ ...row, identity: 0 }] }).call('CHECK')).toMatchObject({ code: 100 });
    const gone = fixture();
    gone.devices.clear();
    expect(await gone.call('CHECK')).toMatchObject({ code: 100, msg: expect.stringContaining('isth01') });
  });

  it('collects what the runtime does not name, and goes on after one that cannot go', async () => {
    const rows = ['c1', 'c2', 'c3', 'c4'].map((containerId) => ({ ...row, containerId }));
    const keep = {
      'cni.dev/valid-attachments': [
        { containerID: 'c1', ifname: 'eth0' },
        { containerID: 'c4', ifname: 'net1' },
      ],
    };
    const { call, calls } = fixture({ rows });
    expect(await call('GC', {}, keep)).toEqual({ status: 200 });
    expect(calls).toEqual(['remove c2/eth0', 'remove c3/eth0', 'remove c4/eth0']);
    const stuck = fixture({ rows, removeFails: new Set(['c2', 'c3']) });
    expect(await stuck.call('GC', {}, keep)).toMatchObject({ code: 100, msg: 'c2 stays; c3 stays' });
    expect(stuck.calls).toHaveLength(3);
    expect(await fixture({ rows, waitingFor: 'the datapath' }).call('GC', {}, keep)).toMatchObject({ code: 11 });
  });

  it('says at STATUS whether it can serve', async () => {
    expect(await fixture().call('STATUS')).toEqual({ status: 200 });
    expect(await fixture({ waitingFor: 'its pod CIDRs' }).call('STATUS')).toMatchObject({
      code: 50,
      msg: expect.stringContaining('pod CIDRs'),
    });
  });
});

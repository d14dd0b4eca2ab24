import type { Link } from '@isthmus/datapath';
import type { EndpointRow } from '@isthmus/model';
import type { PodNetworkState } from '../endpoint/pod-network.ts';
import { type PreviousResult, previousResult } from './cni-result.ts';
import { endpointFaults } from './endpoint-faults.ts';

const row = {
  interfaceName: 'isth01',
  ifindex: 7,
  podInterface: 'eth0',
  netns: '/run/netns/p',
  mac: '0a:00:00:00:00:01',
  ipv4: '10.1.0.5',
  ipv6: 'fd00::5',
} as EndpointRow;
const gateway = { ipv4: '10.1.0.1', ipv6: 'fd00::1' };
const host = { index: 7, up: true } as Link;
const pod = { index: 2, peerIndex: 7, up: true, mac: row.mac } as Link;
const whole: PodNetworkState = {
  host,
  pod,
  addresses: ['10.1.0.5/32', 'fd00::5/128', 'fe80::1/64'],
  routes: [
    { destination: '0.0.0.0/0', via: '10.1.0.1', protocol: 4 },
    { destination: '::/0', via: 'fd00::1', protocol: 4 },
  ],
};
const added = {
  interfaces: [
    { name: 'isth01' },
    { name: 'eth0', mac: '0A:00:00:00:00:01', sandbox: '/run/netns/p' },
    { name: 'net1', sandbox: '/run/netns/p' },
  ],
  ips: [
    { address: '10.1.0.5/32', interface: 1 },
    { address: 'FD00:0::5/128', interface: 1 },
    { address: '192.0.2.1/24', interface: 2 },
  ],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.1.0.1' },
    { dst: '::/0', gw: 'fd00::1' },
    { dst: '198.51.100.0/24', gw: '192.0.2.9' },
  ],
};
const result = (value: object): PreviousResult =>
  previousResult({ cniVersion: '1.1.0', name: 'n', type: 't', prevResult: value as Record<string, unknown> }) as PreviousResult;
const faults = (state: PodNetworkState, previous: object = added): string[] => endpointFaults(row, state, gateway, result(previous));

describe('endpointFaults', () => {
  it('are none where everything is as the result says', () => {
    expect(faults(whole)).toEqual([]);
  });

  it.each([
    ['device isth01 is gone', { host: undefined }],
    ['device isth01 is gone', { host: { ...host, index: 8 } }],
    ['device eth0 is gone from /run/netns/p', { pod: undefined }],
    ['device eth0 in /run/netns/p is not the other end of isth01', { pod: { ...pod, peerIndex: 9 } }],
    ['device isth01 is down', { host: { ...host, up: false } }],
    ['device eth0 is down', { pod: { ...pod, up: false } }],
    ['device eth0 has address 0a:00:00:00:00:02, not 0a:00:00:00:00:01', { pod: { ...pod, mac: '0a:00:00:00:00:02' } }],
    ['device eth0 does not have address 10.1.0.5/32', { addresses: ['fd00::5/128'] }],
    ['device eth0 does not have address FD00:0::5/128', { addresses: ['10.1.0.5/32', 'fd00::5/64'] }],
    ['eth0 does not have the route to 0.0.0.0/0 by 10.1.0.1', { routes: whole.routes.slice(1) }],
    ['eth0 does not have the route to ::/0 by fd00::1', { routes: whole.routes.slice(0, 1) }],
  ])('say that %s', (fault, change) => {
    expect(faults({ ...whole, ...change } as PodNetworkState)).toEqual([fault]);
  });

  it('are none where a later plugin took out what the result no longer names, or added what it names', () => {
    expect(faults({ ...whole, routes: [] }, { ...added, routes: [] })).toEqual([]);
    const more = { ...added, ips: [...added.ips, { address: '10.9.0.1/32', interface: 1 }] };
    expect(faults(whole, more)).toEqual(['device eth0 does not have address 10.9.0.1/32']);
    expect(faults({ ...whole, addresses: [...whole.addresses, '10.9.0.1/32'] }, more)).toEqual([]);
  });

  it('are one where the hardware address is no longer the one that packets are sent to, though the result says so', () => {
    const [, eth0] = added.interfaces;
    const tuned = { ...added, interfaces: [added.interfaces[0], { ...eth0, mac: '0a:00:00:00:00:02' }, added.interfaces[2]] };
    expect(faults({ ...whole, pod: { ...pod, mac: '0a:00:00:00:00:02' } }, tuned)).toHaveLength(1);
  });

  it('count addresses that name no interface as ours', () => {
    expect(faults(whole, { ips: [{ address: '10.1.0.6/32' }] })).toHaveLength(1);
  });
});

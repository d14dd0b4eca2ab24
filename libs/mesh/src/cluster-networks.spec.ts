import { hostCidr, parseCidr, parseIp } from '@isthmus/net';
import { GOLDEN } from '../testing/golden.ts';
import { ClusterNetworks } from './cluster-networks.ts';
import { decodeRecord } from './record.codec.ts';
import type { RecordKind } from './record-kind.ts';

const utf8 = new TextEncoder();

describe('the pod networks of a mesh', () => {
  let networks: ClusterNetworks;
  beforeEach(() => {
    networks = new ClusterNetworks();
    networks.set('east', ['10.1.0.0/16', 'fd00:1::/64']);
    networks.set('cluster3', ['10.244.0.0/16', 'fd00::/64']);
    networks.set('byhand', []);
  });

  const pods = (cluster: string, text: string): string | undefined => networks.rulesOf(cluster).pods(parseCidr(text)!);
  const other = (cluster: string, text: string): string | undefined => networks.rulesOf(cluster).other(parseIp(text)!);

  it('keep pods of a cluster inside of what it joined with, and name both clusters and both networks', () => {
    expect(pods('cluster3', '10.244.7.0/24')).toBeUndefined();
    expect(pods('cluster3', '10.244.0.0/15')).toBe('it is outside of 10.244.0.0/16 and fd00::/64, which cluster3 joined with');
    expect(pods('cluster3', '10.1.7.0/24')).toBe('it overlaps 10.1.0.0/16 of east');
    expect(pods('cluster3', '0.0.0.0/1')).toBe('it overlaps 10.1.0.0/16 of east');
    expect(pods('cluster3', '8.8.8.8/32')).toContain('it is outside of');
  });

  it('let a cluster that was configured by hand be anywhere but in those of others', () => {
    expect(pods('byhand', '10.9.0.0/16')).toBeUndefined();
    expect(pods('byhand', '10.244.3.0/24')).toBe('it overlaps 10.244.0.0/16 of cluster3');
    expect(pods('unheard', '::/0')).toBe('it overlaps fd00:1::/64 of east');
  });

  it('let nodes and servers be anywhere but among pods of others', () => {
    expect(other('cluster3', '192.0.2.1')).toBeUndefined();
    expect(other('cluster3', '10.244.0.1')).toBeUndefined();
    expect(other('cluster3', '10.1.0.1')).toBe('it overlaps 10.1.0.0/16 of east');
  });

  it('follow what clusters say when they join anew, and forget who left', () => {
    const rules = networks.rulesOf('cluster3');
    networks.set('cluster3', ['10.9.0.0/16']);
    expect(rules.pods(hostCidr(parseIp('10.9.0.1')!))).toBeUndefined();
    networks.delete('east');
    expect(pods('byhand', '10.1.0.0/24')).toBeUndefined();
  });
});

describe('a record with an address of others', () => {
  const networks = new ClusterNetworks();
  networks.set('east', ['10.1.0.0/16']);
  networks.set('cluster3', ['10.244.0.0/16', '10.245.0.0/16', 'fd00::/16']);

  const read = (kind: RecordKind, golden: string, name: string, patch: object) => {
    const context = {
      cluster: 'cluster3',
      clusterId: 3,
      maxConnectedClusters: 255,
      name,
      addresses: networks.rulesOf('cluster3'),
    } as const;
    return decodeRecord(kind, utf8.encode(JSON.stringify({ ...JSON.parse(golden), ...patch })), context);
  };
  const refused = (detail: string) => ({ ok: false, reason: 'foreign-network', detail });

  it('is dropped: an address, or a network of them', () => {
    expect(read('ips', GOLDEN.ipPod, '10.244.1.79', {})).toMatchObject({ ok: true });
    expect(read('ips', GOLDEN.ipPod, '10.1.0.9', { IP: '10.1.0.9' })).toEqual(refused('10.1.0.9: it overlaps 10.1.0.0/16 of east'));
    expect(read('ips', GOLDEN.ipPod, '0.0.0.0/1', { IP: '0.0.0.0', Mask: 'gAAAAA==' })).toEqual(
      refused('0.0.0.0/1: it overlaps 10.1.0.0/16 of east'),
    );
    expect(read('ips', GOLDEN.ipPod, '8.8.8.8', { IP: '8.8.8.8' })).toMatchObject({ reason: 'foreign-network' });
  });

  it('is dropped: a host of it may be outside of its pods, but not inside those of others', () => {
    expect(read('ips', GOLDEN.ipPod, '192.0.2.7', { IP: '192.0.2.7', ID: 1 })).toMatchObject({ ok: true });
    expect(read('ips', GOLDEN.ipPod, '10.1.0.9', { IP: '10.1.0.9', ID: 1 })).toMatchObject({ reason: 'foreign-network' });
    expect(read('ips', GOLDEN.ipPod, '0.0.0.0/1', { IP: '0.0.0.0', Mask: 'gAAAAA==', ID: 1 })).toMatchObject({ reason: 'foreign-network' });
  });

  it('is dropped: a node whose pods or addresses are those of others', () => {
    const node = (patch: object) => read('nodes', GOLDEN.nodeFull, 'worker-1', patch);
    expect(node({})).toMatchObject({ ok: true });
    expect(node({ IPv4AllocCIDR: '10.1.4.0/24' })).toEqual(refused('10.1.4.0/24: it overlaps 10.1.0.0/16 of east'));
    expect(node({ IPv6SecondaryAllocCIDRs: ['2001:db8::/64'] })).toMatchObject({ reason: 'foreign-network' });
    expect(node({ IPAddresses: [{ Type: 'InternalIP', IP: '10.1.0.1' }] })).toMatchObject({ reason: 'foreign-network' });
  });

  it('is dropped: a service that sends to pods of others', () => {
    const backends = (ip: string) => ({ backends: { [ip]: { http: { Protocol: 'TCP', Port: 80 } } } });
    expect(read('services', GOLDEN.service, 'default/echo', backends('192.0.2.7'))).toMatchObject({ ok: true });
    expect(read('services', GOLDEN.service, 'default/echo', backends('10.1.0.9'))).toMatchObject({ reason: 'foreign-network' });
  });
});

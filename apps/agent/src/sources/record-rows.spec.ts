import type { NodeRecord, ServiceRecord } from '@isthmus/mesh';
import { backendSetRow, identityRow, ipRow, nodeRow, recordRowKey } from './record-rows.ts';

const owner = { cluster: 'west', clusterId: 2 };

describe('rows of records', () => {
  it('has of a node its addresses by use, and all its CIDRs', () => {
    const record = {
      cluster: 'west',
      name: 'n1',
      clusterId: 2,
      addresses: [
        { type: 'InternalIP', ip: '172.30.2.1' },
        { type: 'CiliumInternalIP', ip: '10.2.0.1' },
        { type: 'ExternalIP', ip: '192.0.2.1' },
        { type: 'Unheard', ip: '192.0.2.9' },
      ],
      ipv4Cidr: '10.2.0.0/24',
      ipv4SecondaryCidrs: ['10.2.1.0/24'],
      ipv6Cidr: '',
      ipv6SecondaryCidrs: null,
      encryptionKey: 3,
      wireguardPubKey: 'k',
    } as unknown as NodeRecord;
    expect(nodeRow(record)).toEqual({
      cluster: 'west',
      clusterId: 2,
      name: 'n1',
      internalIps: ['172.30.2.1'],
      hostIps: ['172.30.2.1', '10.2.0.1', '192.0.2.1'],
      podCidrs: ['10.2.0.0/24', '10.2.1.0/24'],
      encryptionKey: 3,
      wireguardPublicKey: 'k',
    });
    expect(nodeRow({ ...record, annotations: new Map([['isthmus.io/wireguard-epochs', 'true']]) })).toMatchObject({ hasEpochs: true });
    expect(nodeRow({ ...record, addresses: null })).toMatchObject({ internalIps: [], hostIps: [] });
  });

  it('has of an address where it is and what it is', () => {
    const record = { ip: '10.2.0.5', hostIp: '172.30.2.1', identity: 131_100, encryptionKey: 1, namespace: 'n', podName: 'p' };
    expect(ipRow(owner, { ...record, podUid: 'u', serviceAccount: 's', namedPorts: [] })).toEqual({
      ...owner,
      ip: '10.2.0.5',
      hostIp: '172.30.2.1',
      identity: 131_100,
      namespace: 'n',
      pod: 'p',
    });
  });

  it('are found by cluster and name, identities by number, targets by cluster', () => {
    const keys = (['nodes', 'identities', 'wireguard', 'wireguardtargets'] as const).map((kind) => recordRowKey(kind, 'west', 'x'));
    expect(keys).toEqual(['west/x', 'x', 'west/x', 'west']);
  });

  it('writes labels as endpoints have them', () => {
    expect(identityRow(owner, { id: 131_100, labels: ['k8s:a=b', 'k8s:c='] })).toEqual({
      id: 131_100,
      cluster: 'west',
      labels: 'k8s:a=b;k8s:c=;',
    });
  });

  it('has of a service the ports that it can serve', () => {
    const ports = [
      { name: 'http', protocol: 'TCP', port: 80 },
      { name: 'x', protocol: 'ICMP', port: 1 },
    ];
    const record = {
      cluster: 'west',
      clusterId: 2,
      namespace: 'shop',
      name: 'web',
      backends: [{ ip: '10.2.0.5', ports }],
    } as unknown as ServiceRecord;
    expect(backendSetRow(record)).toEqual({
      ...owner,
      namespace: 'shop',
      name: 'web',
      backends: [{ ip: '10.2.0.5', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] }],
    });
  });
});

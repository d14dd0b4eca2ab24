import { parseConfig } from '@isthmus/model';
import { apiserverSettings } from './settings.ts';

const GOOD = {
  'cluster-name': 'east',
  'cluster-id': '1',
  'mesh-etcd-config': '/etc/mesh.yaml',
  'mesh-etcd-endpoints': 'https://192.0.2.1:2479',
  'cluster-etcd-endpoints': 'https://192.0.2.1:2379',
  'cluster-pool-ipv4-cidr': '10.1.0.0/16',
  'cluster-pool-ipv6-cidr': 'fd00:1::/104',
};

describe('apiserverSettings', () => {
  const settings = (changes: Record<string, string> = {}) => apiserverSettings(parseConfig({ ...GOOD, ...changes }).config);

  it('says what others are told of the cluster', () => {
    expect(settings({ 'enable-ipv6': 'false' }).local).toEqual({
      name: 'east',
      id: 1,
      maxConnectedClusters: 255,
      tunnelProtocol: 'vxlan',
      podCIDRs: ['10.1.0.0/16'],
      endpoints: ['https://192.0.2.1:2479'],
      clusterEtcdEndpoints: ['https://192.0.2.1:2379'],
    });
    expect(settings({ 'join-api-address': '[::1]:4280' }).joinApi).toEqual({ host: '::1', port: 4280 });
    expect(settings().health).toBeUndefined();
  });

  it.each([
    [{ 'cluster-name': 'default' }, 'MESH_CLUSTER_NAME_INVALID', 'default'],
    [{ 'cluster-id': '0' }, 'MESH_CLUSTER_ID_INVALID', '0'],
    [{ 'mesh-etcd-config': '' }, 'APISERVER_SETTING', 'mesh-etcd-config'],
    [{ 'mesh-etcd-endpoints': '' }, 'APISERVER_SETTING', 'mesh-etcd-endpoints'],
    [{ 'heartbeat-interval': '90' }, 'APISERVER_SETTING', 'heartbeat-interval'],
    [{ 'join-api-address': 'nowhere' }, 'APISERVER_LISTEN', 'join-api-address'],
  ])('refuses %j with %s, naming %s', (changes, code, object) => {
    expect(() => settings(changes)).toThrow(expect.objectContaining({ code, object }));
  });
});

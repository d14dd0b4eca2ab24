import { etcdTargets } from './etcd-target.ts';

describe('etcdTargets', () => {
  it('makes a target of each endpoint, whatever its address family', () => {
    expect(etcdTargets({ endpoints: ['https://10.0.0.1:2379', 'http://[fd00::1]:2379', 'https://etcd.example:2379'] })).toEqual([
      { name: 'https://10.0.0.1:2379', address: 'ipv4:10.0.0.1:2379', secure: true, identity: '10.0.0.1' },
      { name: 'http://[fd00::1]:2379', address: 'ipv6:[fd00::1]:2379', secure: false, identity: 'fd00::1' },
      { name: 'https://etcd.example:2379', address: 'dns:etcd.example:2379', secure: true, identity: 'etcd.example' },
    ]);
  });

  it('goes to an alias’s addresses and still expects the host’s name', () => {
    const hostAliases = [{ hostname: 'west.mesh.cilium.io', ips: ['172.18.0.5', 'fd00::5'] }];
    expect(etcdTargets({ endpoints: ['https://west.mesh.cilium.io:32379'], hostAliases })).toEqual([
      {
        name: 'https://west.mesh.cilium.io:32379 (172.18.0.5)',
        address: 'ipv4:172.18.0.5:32379',
        secure: true,
        identity: 'west.mesh.cilium.io',
      },
      {
        name: 'https://west.mesh.cilium.io:32379 (fd00::5)',
        address: 'ipv6:[fd00::5]:32379',
        secure: true,
        identity: 'west.mesh.cilium.io',
      },
    ]);
  });

  it('refuses an empty or wrong list', () => {
    expect(() => etcdTargets({ endpoints: [] })).toThrow('no endpoint');
    expect(() => etcdTargets({ endpoints: ['unix:///x'] })).toThrow('unix:///x');
  });
});

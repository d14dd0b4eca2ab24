import type { EndpointRow } from '@isthmus/model';
import { addResult, addressesOf } from './cni-result.ts';

const row = {
  interfaceName: 'isth0badcafe',
  hostMac: '0e:00:00:00:00:01',
  podInterface: 'eth0',
  mac: '0a:00:00:00:00:01',
  netns: '/run/netns/p',
  mtu: 1450,
  ipv4: '10.1.0.5',
  ipv6: 'fd00::5',
} as EndpointRow;
const gateway = { ipv4: '10.1.0.1', ipv6: 'fd00::1' };

describe('addResult', () => {
  it('is the result of version 1.1.0', () => {
    expect(addResult('1.1.0', row, gateway)).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'isth0badcafe', mac: '0e:00:00:00:00:01' },
        { name: 'eth0', mac: '0a:00:00:00:00:01', sandbox: '/run/netns/p', mtu: 1450 },
      ],
      ips: [
        { interface: 1, address: '10.1.0.5/32', gateway: '10.1.0.1' },
        { interface: 1, address: 'fd00::5/128', gateway: 'fd00::1' },
      ],
      routes: [
        { dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1450 },
        { dst: '::/0', gw: 'fd00::1', mtu: 1450 },
      ],
      dns: {},
    });
  });

  it('says nothing of MTUs before 1.1.0, and names the family before 1.0.0', () => {
    expect(JSON.stringify(addResult('1.0.0', row, gateway))).not.toContain('mtu');
    for (const version of ['0.3.1', '0.4.0'] as const)
      expect(addResult(version, row, gateway)).toMatchObject({ cniVersion: version, ips: [{ version: '4' }, { version: '6' }] });
    expect(JSON.stringify(addResult('1.0.0', row, gateway))).not.toContain('"version"');
  });

  it('leaves out a family that is off', () => {
    expect(addResult('1.1.0', { ...row, ipv6: '' }, gateway)).toMatchObject({
      ips: [{ address: '10.1.0.5/32' }],
      routes: [{ dst: '0.0.0.0/0' }],
    });
  });
});

describe('addressesOf', () => {
  it("takes the pod interface's addresses, and those that name no interface", () => {
    const previous = {
      interfaces: [{ name: 'host0' }, { name: 'eth0' }, { name: 'net1' }],
      ips: [{ address: '10.1.0.5/32', interface: 1 }, { address: '192.0.2.1/24', interface: 2 }, { address: 'fd00::5/128' }],
    };
    expect(addressesOf(previous, 'eth0')).toEqual(['10.1.0.5', 'fd00::5']);
  });

  it.each([{}, { ips: 'x' }, { ips: [null, 1, {}, { address: 7 }], interfaces: 3 }])('finds none in %j', (previous) => {
    expect(addressesOf(previous, 'eth0')).toEqual([]);
  });
});

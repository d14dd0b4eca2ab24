import type { EndpointRow } from '@isthmus/model';
import { addResult, type PreviousResult, previousResult, resultBefore } from './cni-result.ts';

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
const config = { cniVersion: '1.1.0', name: 'n', type: 't' } as const;
const none: PreviousResult = { interfaces: [], ips: [], routes: [], dns: {} };

describe('addResult', () => {
  it('is the result of version 1.1.0', () => {
    expect(addResult('1.1.0', none, row, gateway)).toEqual({
      cniVersion: '1.1.0',
      interfaces: [
        { name: 'isth0badcafe', mac: '0e:00:00:00:00:01', mtu: 1450 },
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
    expect(JSON.stringify(addResult('1.0.0', none, row, gateway))).not.toContain('mtu');
    for (const version of ['0.3.1', '0.4.0'] as const)
      expect(addResult(version, none, row, gateway)).toMatchObject({ cniVersion: version, ips: [{ version: '4' }, { version: '6' }] });
    expect(JSON.stringify(addResult('1.0.0', none, row, gateway))).not.toContain('"version"');
  });

  it('leaves out a family that is off', () => {
    expect(addResult('1.1.0', none, { ...row, ipv6: '' }, gateway)).toMatchObject({
      ips: [{ address: '10.1.0.5/32' }],
      routes: [{ dst: '0.0.0.0/0' }],
    });
  });

  it('passes on all that earlier plugins said, with its own behind and pointing to its own interfaces', () => {
    const before = resultBefore({
      ...config,
      prevResult: { cniVersion: '1.1.0', interfaces: [{ name: 'a', socketPath: '/s' }], ips: null, dns: { domain: 'x' }, later: 1 },
    });
    expect(addResult('1.1.0', before, { ...row, ipv6: '' }, gateway)).toMatchObject({
      interfaces: [{ name: 'a', socketPath: '/s' }, { name: 'isth0badcafe' }, { name: 'eth0' }],
      ips: [{ interface: 2 }],
      dns: { domain: 'x' },
      later: 1,
    });
  });
});

describe('resultBefore', () => {
  it('begins with the configured DNS', () => {
    const dns = { nameservers: ['10.0.0.53'], search: ['x'] };
    expect(resultBefore({ ...config, dns })).toEqual({ ...none, dns });
    expect(resultBefore({ ...config, dns: null })).toEqual(none);
    expect(resultBefore({ ...config, dns, prevResult: { dns: {} } }).dns).toEqual({});
  });

  it.each([
    ['config.dns.nameservers', { dns: { nameservers: 'x' } }],
    ['config.dns', { dns: 1 }],
    ['config.prevResult.ips', { prevResult: { ips: 'x' } }],
    ['config.prevResult.interfaces.0.name', { prevResult: { interfaces: [{}] } }],
    ['config.prevResult.routes.0.dst', { prevResult: { routes: [{ dst: 1 }] } }],
  ])('refuses and names %s', (part, changes) => {
    expect(() => resultBefore({ ...config, ...changes })).toThrow(expect.objectContaining({ object: part, number: 7 }));
  });
});

describe('previousResult', () => {
  it('is undefined where there is none', () => {
    expect(previousResult(config)).toBeUndefined();
    expect(previousResult({ ...config, prevResult: null })).toBeUndefined();
    expect(previousResult({ ...config, prevResult: {} })).toEqual({ interfaces: [], ips: [], routes: [] });
  });
});

import { parseCommunity } from './bgp-community.ts';
import { peerBfd, peerFamilies, peerMultihop, peerPort, peerRestartSeconds, peerRouteImport, peerTimers } from './bgp-peer-defaults.ts';
import { importedLengths } from './kinds/bgp-route-import.ts';

describe('what a peer config leaves open', () => {
  it('has defaults, also without any config', () => {
    expect(peerTimers(undefined)).toEqual({ connectRetrySeconds: 120, holdSeconds: 90, keepAliveSeconds: 30 });
    expect([peerPort({}), peerMultihop({}), peerRestartSeconds({}), peerBfd({})]).toEqual([179, 1, undefined, undefined]);
    expect(peerFamilies({}).map(({ afi, advertisements }) => [afi, advertisements])).toEqual([
      ['ipv6', undefined],
      ['ipv4', undefined],
    ]);
    expect(peerRouteImport({})).toEqual({ mode: 'None' });
  });

  it('fits keepalives into a short hold time', () => {
    expect(peerTimers({ timers: { holdTimeSeconds: 9 } }).keepAliveSeconds).toBe(3);
    expect(peerTimers({ timers: { holdTimeSeconds: 9, keepAliveTimeSeconds: 1 } }).keepAliveSeconds).toBe(1);
    expect(peerTimers({ timers: { holdTimeSeconds: 900 } }).keepAliveSeconds).toBe(30);
  });

  it('counts what is switched on only', () => {
    expect(peerBfd({ bfd: { enabled: true, transmitIntervalMilliseconds: 50 } })).toEqual({
      transmitMs: 50,
      receiveMs: 300,
      multiplier: 3,
    });
    expect(peerBfd({ bfd: { enabled: false, transmitIntervalMilliseconds: 50 } })).toBeUndefined();
    expect(peerRestartSeconds({ gracefulRestart: { enabled: true } })).toBe(120);
    expect(peerRestartSeconds({ gracefulRestart: { enabled: false, restartTimeSeconds: 5 } })).toBeUndefined();
  });
});

it.each([
  [{ cidr: '10.0.0.0/8' }, { min: 8, max: 8 }],
  [
    { cidr: '10.0.0.0/8', minLength: 16 },
    { min: 16, max: 32 },
  ],
  [
    { cidr: 'fd00::/8', minLength: 16 },
    { min: 16, max: 128 },
  ],
  [
    { cidr: '10.0.0.0/8', maxLength: 16 },
    { min: 8, max: 16 },
  ],
  [
    { cidr: '10.0.0.0/8', minLength: 9, maxLength: 16 },
    { min: 9, max: 16 },
  ],
])('prefixes of %j have lengths %j', (entry, lengths) => {
  expect(importedLengths(entry)).toEqual(lengths);
});

it.each<[string, unknown]>([
  ['65000:100', { standard: 65000 * 65536 + 100 }],
  ['4294967295', { standard: 4294967295 }],
  ['0', { standard: 0 }],
  ['planned-shut', { standard: 0xffff0000 }],
  ['no-peer', { standard: 0xffffff04 }],
  ['4294967295:0:1', { large: [4294967295, 0, 1] }],
  ['65536:0', undefined],
  ['1:65536', undefined],
  ['4294967296', undefined],
  ['1:2:3:4', undefined],
  ['1:2:4294967296', undefined],
  ['1:', undefined],
  ['', undefined],
  ['007', undefined],
  ['constructor', undefined],
])('community %s is %j', (text, value) => {
  expect(parseCommunity(text)).toEqual(value);
});

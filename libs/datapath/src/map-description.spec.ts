import { IdPool, ManualClock } from '@isthmus/core';
import { addrKeyOf } from './addr-key.ts';
import {
  Direction,
  DropReason,
  encodeEncryptExemptKey,
  encodeMetricKey,
  encodeMetricValue,
  encodeServiceKey,
  encodeServiceValue,
  encodeSockNatKey,
  encodeSockNatValue,
  SockNatDirection,
} from './generated/layouts.ts';
import { describeMapRow, MAP_NAMES, pinnedMapName, sumOverCpus } from './map-description.ts';
import { backendCodec, revnatCodec } from './sinks/backend-codec.ts';
import { endpointCodec } from './sinks/endpoint-codec.ts';
import { ipcacheCodec } from './sinks/ipcache-codec.ts';
import type { MapCodec } from './sinks/map-sink.ts';
import { meshRangeCodec } from './sinks/mesh-range-codec.ts';
import { peerCodec } from './sinks/peer-codec.ts';

const pool = new IdPool({ name: 'p', min: 7, max: 99, graceMs: 0 }, new ManualClock());
const show = <V>(map: string, codec: MapCodec<V>, key: string, row: V) => describeMapRow(map, codec.key(key), codec.value(key, row));
const vip = addrKeyOf(Uint8Array.of(10, 96, 0, 9));
const pod = addrKeyOf(Uint8Array.of(10, 1, 0, 5));

describe('describeMapRow', () => {
  it('puts rows of tables into words', () => {
    const address = { endpoint: 3, ifindex: 4, identity: 65_800, mac: '0a:00:00:00:00:01', hostMac: '', ready: true, host: false };
    expect(show('endpoints', endpointCodec, 'fd00::5', address)).toEqual({
      address: 'fd00::5',
      endpoint: 3,
      identity: 65_800,
      state: 'ready',
      ifindex: 4,
      mac: '0a:00:00:00:00:01',
    });
    expect(show('endpoints', endpointCodec, '10.1.0.5', { ...address, ready: false })).toMatchObject({ state: 'not-ready' });
    expect(show('endpoints', endpointCodec, '10.1.0.1', { ...address, host: true })).toMatchObject({ state: 'host' });
    const entry = { identity: 131_100, peer: '172.30.2.1', peerKnown: true, node: false, clusterId: 2 };
    expect(show('ipcache', ipcacheCodec(pool, 1), '10.2.0.0/24', entry)).toMatchObject({
      prefix: '10.2.0.0/24',
      identity: 131_100,
      cluster: 2,
      peer: pool.idOf('172.30.2.1'),
    });
    expect(
      show('peers', peerCodec(pool, 1), '172.30.2.1', { cluster: 'west', clusterId: 2, node: 'n', mode: 'tunnel', tx: 'odd' }),
    ).toMatchObject({
      peer: pool.idOf('172.30.2.1'),
      address: '172.30.2.1',
      mode: 'tunnel',
      tx: 'odd',
      cluster: 2,
    });
    expect(show('mesh-ranges', meshRangeCodec(pool, 1), '10.2.0.0/24', { peer: '172.30.2.1', clusterId: 2 })).toMatchObject({
      prefix: '10.2.0.0/24',
      cluster: 2,
      peer: pool.idOf('172.30.2.1'),
    });
    expect(show('backends', backendCodec(pool, 1), 'TCP/10.1.0.5:80', { clusterId: 2 })).toMatchObject({
      address: 'TCP/10.1.0.5:80',
      cluster: 2,
    });
    expect(show('revnat', revnatCodec(pool), 'UDP/10.96.0.9:53', undefined)).toMatchObject({ frontend: 'UDP/10.96.0.9:53' });
  });

  it('puts the others into words', () => {
    expect(describeMapRow('encrypt-exempt', encodeEncryptExemptKey({ protocol: 17, port: 51_871 }), Uint8Array.of(1))).toEqual({
      protocol: 'UDP',
      port: 51_871,
    });
    const key = encodeServiceKey({ addr: vip, port: 443, protocol: 6, scope: 0, slot: 2 });
    const value = encodeServiceValue({ backend: 5, count: 0, revnat: 0, flags: 0, affinityTimeout: 0 });
    expect(describeMapRow('services', key, value)).toEqual({ frontend: 'TCP/10.96.0.9:443', slot: 2, count: 0, backend: 5, revnat: 0 });
    const from = encodeSockNatKey({ cookie: 77n, addr: pod, port: 80, protocol: 6, direction: SockNatDirection.reverse });
    const to = { ...baseSockNat(), addr: vip, port: 443 };
    expect(describeMapRow('sock-nat', from, encodeSockNatValue(to))).toEqual({
      cookie: '77',
      direction: 'reverse',
      from: 'TCP/10.1.0.5:80',
      to: 'TCP/10.96.0.9:443',
    });
    const reason = encodeMetricKey({ reason: DropReason.noBackend, direction: Direction.service } as Parameters<typeof encodeMetricKey>[0]);
    expect(describeMapRow('metrics', reason, perCpu([3, 300], [4, 400]))).toEqual({
      reason: 'NoBackend',
      direction: 'service',
      packets: 7,
      bytes: 700,
    });
    const forwarded = encodeMetricKey({ reason: 0, direction: 9 } as unknown as Parameters<typeof encodeMetricKey>[0]);
    expect(describeMapRow('metrics', forwarded, perCpu([1, 1]))).toMatchObject({ reason: 'Forwarded', direction: '9' });
  });

  it('knows its maps by the names that people type', () => {
    expect(MAP_NAMES).toContain('sock-nat');
    expect(pinnedMapName('sock-nat')).toBe('isth_sock_nat');
    expect(() => describeMapRow('nothing', new Uint8Array(), new Uint8Array())).toThrow(RangeError);
    expect(sumOverCpus(new Uint8Array())).toEqual({ packets: 0, bytes: 0 });
  });
});

function perCpu(...counters: readonly [number, number][]): Uint8Array {
  return Buffer.concat(counters.map(([packets, bytes]) => encodeMetricValue({ packets: BigInt(packets), bytes: BigInt(bytes) })));
}

function baseSockNat() {
  return { revnat: 0, backend: 0, flags: 0 } as unknown as Omit<Parameters<typeof encodeSockNatValue>[0], 'addr' | 'port'>;
}

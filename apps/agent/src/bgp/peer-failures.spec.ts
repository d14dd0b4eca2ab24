import type { BfdReport, BfdSessionConfig } from '@isthmus/bgp';
import type { BgpPeerRow } from './bgp-rows.ts';
import { PeerFailures } from './peer-failures.ts';

const BFD = { transmitMs: 50, receiveMs: 100, multiplier: 3 };
const TIMING = { desiredMinTxMs: 50, requiredMinRxMs: 100, multiplier: 3 };
const peer = (address: string, more: Partial<BgpPeerRow> = {}): BgpPeerRow =>
  ({ instance: 'rack', name: 'tor', address, connection: { asn: 65_002 }, bfd: BFD, ...more }) as BgpPeerRow;

function fixture() {
  const wanted: (readonly BfdSessionConfig[])[] = [];
  const failed: string[] = [];
  const own = new Map([
    ['10.0.0.2', { address: '10.0.0.3', device: 'up0' }],
    ['fe80::2%up0', { address: 'fe80::3', device: 'up0' }],
  ]);
  const failures = new PeerFailures({
    monitor: { want: (sessions) => void wanted.push(sessions) },
    localAddress: (remote) => own.get(remote),
    onFailed: ({ address }, reason) => failed.push(`${address} ${reason}`),
  });
  const report = (lost: boolean, key = 'rack/tor'): void =>
    failures.report({ key, lost, diagnostic: 'detection time expired' } as unknown as BfdReport);
  return { failures, wanted, failed, own, report };
}

describe('peers that BFD watches', () => {
  it('are those that are to be watched, from the own address on their link', () => {
    const { failures, wanted } = fixture();
    failures.update([
      { key: 'rack/tor', row: peer('10.0.0.2') },
      { key: 'rack/six', row: peer('fe80::2%up0') },
      { key: 'rack/far', row: peer('192.0.2.9', { connection: { asn: 65_009, multihop: 3, localAddress: '10.0.0.3' } }) },
      { key: 'rack/unsaid', row: peer('192.0.2.8', { connection: { asn: 65_009, multihop: 3 } }) },
      { key: 'rack/plain', row: { ...peer('10.0.0.2'), bfd: undefined } as unknown as BgpPeerRow },
    ]);
    expect(wanted).toEqual([
      [
        { key: 'rack/tor', local: '10.0.0.3', remote: '10.0.0.2', interface: 'up0', multihop: false, ...TIMING },
        { key: 'rack/six', local: 'fe80::3', remote: 'fe80::2', interface: 'up0', multihop: false, ...TIMING },
        { key: 'rack/far', local: '10.0.0.3', remote: '192.0.2.9', multihop: true, ...TIMING },
      ],
    ]);
    failures.delete(['rack/six', 'rack/far']);
    expect(wanted.at(-1)?.map(({ key }) => key)).toEqual(['rack/tor']);
  });

  it('are said again when own addresses change, and only then', () => {
    const { failures, wanted, own } = fixture();
    failures.update([{ key: 'rack/tor', row: peer('10.0.0.2') }]);
    failures.say();
    expect(wanted).toHaveLength(1);
    own.set('10.0.0.2', { address: '10.0.0.3', device: 'up1' });
    failures.say();
    expect(wanted.at(-1)).toMatchObject([{ interface: 'up1' }]);
    own.delete('10.0.0.2');
    failures.say();
    expect(wanted.at(-1)).toEqual([]);
  });

  it('are none before it is known which: sessions of an earlier run must not end', () => {
    const { failures, wanted } = fixture();
    failures.say();
    expect(wanted).toEqual([]);
    failures.begin();
    expect(wanted).toEqual([[]]);
  });

  it('fail when BFD loses them, once for each time', () => {
    const { failures, failed, report } = fixture();
    failures.update([{ key: 'rack/tor', row: peer('10.0.0.2') }]);
    for (const lost of [false, true, true, false, true]) report(lost);
    expect(failed).toEqual(['10.0.0.2 BFD: detection time expired', '10.0.0.2 BFD: detection time expired']);
    report(true, 'rack/nobody');
    expect(failed).toHaveLength(2);
  });

  it('do not fail by what was before the agent began: a session that comes up all the same stays', () => {
    const { failures, failed, report } = fixture();
    failures.update([{ key: 'rack/tor', row: peer('10.0.0.2') }]);
    for (const lost of [true, true, false]) report(lost);
    expect(failed).toEqual([]);
    report(true);
    expect(failed).toHaveLength(1);
  });
});

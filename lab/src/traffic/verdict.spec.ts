import type { FlowReport, TrafficReport } from './flow.ts';
import type { StreamReport } from './stream.ts';
import { judgeTraffic } from './verdict.ts';

const flow = (changes: Partial<FlowReport> = {}): FlowReport => ({
  name: 'across nodes',
  id: '1',
  target: 'UDP/10.1.0.5:8080',
  sent: 1000,
  answered: 1000,
  lost: 0,
  lostRanges: [],
  duplicates: 0,
  reordered: 0,
  misdelivered: 0,
  lastStray: '',
  queueDrops: 0,
  longestGapMs: 12,
  errors: 0,
  lastError: '',
  ...changes,
});

const stream = (changes: Partial<StreamReport> = {}): StreamReport => ({
  name: 'across nodes',
  id: '2',
  target: 'TCP/10.1.0.5:8080',
  sent: 5_000_000,
  arrived: 5_000_000,
  isWhole: true,
  isMeant: true,
  kbps: 5000,
  longestStallMs: 30,
  retransmits: 2,
  error: '',
  ...changes,
});

const report = (flows: FlowReport[], rig: Partial<TrafficReport['rig']> = {}, streams: StreamReport[] = []): TrafficReport => ({
  flows,
  streams,
  rig: { strays: [], queueDrops: 0, backlogDrops: 0, wireguardDrops: { sockets: 0, tuns: 0 }, ...rig },
});

describe('traffic', () => {
  it('is clean when every packet came once to where it was meant for, in whatever order', () => {
    const { verdict, text } = judgeTraffic(report([flow({ reordered: 3 }), flow({ longestGapMs: 20 })]));
    expect(verdict).toBe('clean');
    expect(text).toBe('0 of 2000 packets of 2 flows lost, longest gap 20 ms');
  });

  it('is clean when the machine dropped something that was not ours', () => {
    expect(judgeTraffic(report([flow()], { backlogDrops: 5 })).verdict).toBe('clean');
  });

  it.each<[string, Partial<FlowReport>]>([
    ['lost', { lost: 1, lostRanges: [[7, 7]] }],
    ['twice', { duplicates: 1 }],
    ['misdelivered', { misdelivered: 1, lastStray: 'answer' }],
    ['errors', { errors: 1, lastError: 'ECONNREFUSED' }],
  ])('is faulty when one packet is %s, and says so', (word, changes) => {
    const { verdict, text } = judgeTraffic(report([flow(), flow(changes)]));
    expect(verdict).toBe('faulty');
    expect(text).toContain(word);
  });

  it('is faulty when a place got what was not for it', () => {
    const { verdict, text } = judgeTraffic(report([flow()], { strays: [{ place: 'east/n1', packets: 2, last: 'flow 1 for east/a1' }] }));
    expect(verdict).toBe('faulty');
    expect(text).toBe('east/n1 got 2 packets that were not for it (flow 1 for east/a1)');
  });

  it.each<[string, Partial<FlowReport>, Partial<TrafficReport['rig']>]>([
    ["the flow's socket", { queueDrops: 3 }, {}],
    ["a server's socket", {}, { queueDrops: 3 }],
    ['a processor', {}, { backlogDrops: 3 }],
    ["WireGuard's sockets", {}, { wireguardDrops: { sockets: 3, tuns: 0 } }],
    ["WireGuard's TUN devices", {}, { wireguardDrops: { sockets: 0, tuns: 3 } }],
  ])('is void when all that is missing may have been dropped by %s', (_, changes, rig) => {
    expect(judgeTraffic(report([flow({ lost: 3, ...changes })], rig)).verdict).toBe('void');
    expect(judgeTraffic(report([flow({ lost: 4, ...changes })], rig)).verdict).toBe('faulty');
  });

  it('is clean when streams arrive whole, whatever they sent again', () => {
    const { verdict, text } = judgeTraffic(report([flow()], {}, [stream(), stream({ kbps: 4800, longestStallMs: 70 })]));
    expect(verdict).toBe('clean');
    expect(text).toContain('all 10 MB of 2 streams arrived, at 4.8 Mbit/s and more each, longest stall 70 ms, 4 segments sent again');
  });

  it.each<[string, Partial<StreamReport>]>([
    ['4999999 of 5000000 bytes arrived', { arrived: 4_999_999, isWhole: false }],
    ['ended with ECONNRESET', { isWhole: false, error: 'ECONNRESET' }],
    ['at another place', { isMeant: false }],
    ['5000000 of 5000000 bytes arrived', { isWhole: false }],
  ])('is faulty when of a stream %s, also when the machine dropped something', (words, changes) => {
    const { verdict, text } = judgeTraffic(report([flow()], { backlogDrops: 5 }, [stream(changes)]));
    expect(verdict).toBe('faulty');
    expect(text).toContain(words);
  });
});

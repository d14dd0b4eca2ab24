import { KEY_EXCHANGE_PORT, WIREGUARD_PORTS } from '@isthmus/model';
import { planLab } from '../topology/plan.ts';
import { loadTopology } from '../topology/topology.ts';
import { forbiddenFrames, isForbidden, type KindCounts, kindsText } from './frame-kind.ts';
import { sniffRules } from './sniff-rules.ts';
import { alwaysSniffs, numberedCables } from './sniffer-links.ts';

const encrypted = planLab('lab', loadTopology('encrypted'));
const rack = planLab('lab', loadTopology('bgp-rack'));
const plain = planLab('lab', loadTopology('two-clusters'));

describe('what may pass on cables', () => {
  const rules = sniffRules(encrypted);

  it('is WireGuard, and the TLS of agents and their control planes', () => {
    const kindOf = (protocol: string, port: number) => rules.ports.filter((each) => each.protocol === protocol && each.port === port);
    for (const port of Object.values(WIREGUARD_PORTS)) expect(kindOf('UDP', port)).toMatchObject([{ kind: 'wireguard' }]);
    for (const port of [KEY_EXCHANGE_PORT, 2379, 2479, 4280]) expect(kindOf('TCP', port)).toMatchObject([{ kind: 'exempt' }]);
    for (const port of [8472, 6081]) expect(kindOf('UDP', port)).toMatchObject([{ kind: 'tunnel' }]);
    expect(kindOf('UDP', 2379)).toEqual([]);
    expect(kindOf('TCP', 8080)).toEqual([]);
  });

  it('knows pods and services, nodes, and who cannot encrypt', () => {
    const of = (kind: string) => rules.places.filter((each) => each.kind === kind).map(({ network }) => network);
    expect(of('pod')).toEqual(expect.arrayContaining(['10.1.0.0/16', 'fd10:2::/104', '10.102.0.0/16', 'fd10:101::/112']));
    expect(of('node')).toHaveLength(8);
    expect(of('node')).toEqual(expect.arrayContaining(['172.21.1.11/32', 'fd21:2::c/128']));
    expect(of('open')).toEqual(expect.arrayContaining(['172.21.1.10/32', 'fd21:2::1/128', 'ff00::/8']));
  });

  it('lets nodes say what they like where their own packets are not encrypted', () => {
    expect(sniffRules(plain).places.filter(({ kind }) => kind === 'node')).toEqual([]);
  });
});

describe('the sniffers of a lab', () => {
  it('are always there where all nodes encrypt', () => {
    expect([encrypted, rack, plain].map(alwaysSniffs)).toEqual([true, false, false]);
    expect(alwaysSniffs({ ...encrypted, sniffers: false })).toBe(false);
  });

  it('have a number for each cable, the same whichever cables are looked at', () => {
    expect(numberedCables(encrypted).map(({ number, name }) => `${number} ${name}`)).toEqual([
      '0 east/control (br1p0)',
      '1 east/n1 (br1p1)',
      '2 east/n2 (br1p2)',
      '3 west/control (br2p0)',
      '4 west/n1 (br2p1)',
      '5 west/n2 (br2p2)',
    ]);
    const last = rack.clusters.at(-1)!.nodes.at(-1)!;
    expect(numberedCables(rack, [last])).toEqual(numberedCables(rack).slice(-2));
  });
});

describe('kinds of frames', () => {
  const counts = { wireguard: 7, arp: 1, pod: 2, readable: 3 } as Partial<KindCounts> as KindCounts;
  const all = {
    ...Object.fromEntries(
      ['neighbour', 'exempt', 'station', 'tunnel', 'node', 'fragment', 'malformed', 'unknown'].map((kind) => [kind, 0]),
    ),
    ...counts,
  };

  it('are told in words, and added up where they are forbidden', () => {
    expect(kindsText(all)).toBe('1 arp, 7 wireguard, 2 pod, 3 readable');
    expect(kindsText(all, isForbidden)).toBe('2 pod, 3 readable');
    expect(kindsText(all, (kind) => kind === 'node')).toBe('none');
    expect(forbiddenFrames(all)).toBe(5);
  });
});

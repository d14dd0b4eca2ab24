import { CodedError } from '@isthmus/core';
import { LAB_TOPOLOGY } from '../lab.errors.ts';
import { loadTopology, parseTopology } from './topology.ts';

const cluster = (changes: Record<string, string> = {}): string => {
  const fields = {
    name: 'east',
    id: '1',
    underlay: "{ ipv4: 172.21.1.0/24, ipv6: 'fd21:1::/64' }",
    pods: "{ ipv4: 10.1.0.0/16, ipv6: 'fd10:1::/104' }",
    services: "{ ipv4: 10.101.0.0/16, ipv6: 'fd10:101::/112' }",
    nodes: '[{ name: n1, pods: [a1] }]',
    ...changes,
  };
  return `- { ${Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')} }`;
};

const parse = (...clusters: string[]): unknown => parseTopology(`clusters:\n${clusters.join('\n')}\n`, 'test');

function refusal(...clusters: string[]): string {
  try {
    parse(...clusters);
  } catch (error) {
    if (error instanceof CodedError && error.code === LAB_TOPOLOGY.code) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a topology', () => {
  it('is what the file of the standard lab says', () => {
    const { clusters } = loadTopology('two-clusters');
    expect(clusters.map(({ name, nodes }) => [name, nodes.length])).toEqual([
      ['east', 2],
      ['west', 2],
    ]);
  });

  it('takes settings as text, whatever YAML makes of them', () => {
    const { clusters } = parseTopology(`clusters:\n${cluster({ config: '{ tunnel-port: 4789, enable-ipv6: false }' })}\n`, 'test');
    expect(clusters[0]?.config).toEqual({ 'tunnel-port': '4789', 'enable-ipv6': 'false' });
  });

  it('labels a pod with its name unless it says how', () => {
    const { clusters } = parseTopology(
      `clusters:\n${cluster({ nodes: '[{ name: n1, pods: [a1, { name: a2, labels: { app: server } }] }]' })}\n`,
      'test',
    );
    expect(clusters[0]?.nodes[0]?.pods).toEqual([
      { name: 'a1', labels: { app: 'a1' } },
      { name: 'a2', labels: { app: 'server' } },
    ]);
  });

  it('has a load that its file may change in part', () => {
    expect(loadTopology('two-clusters').load).toEqual({ pps: 10_000, streamKbps: 5_000 });
    const { load } = parseTopology(`load: { pps: 2000 }\nclusters:\n${cluster()}\n`, 'test');
    expect(load).toEqual({ pps: 2000, streamKbps: 5_000 });
  });

  it('names what it refuses', () => {
    expect(refusal(cluster({ id: '0' }))).toContain('clusters.0.id');
    expect(refusal(cluster({ node: '[]' }))).toContain('node');
    expect(refusal(cluster({ underlay: "{ ipv4: 172.21.1.0, ipv6: 'fd21:1::/64' }" }))).toContain('clusters.0.underlay.ipv4');
    expect(refusal(cluster({ underlay: "{ ipv4: 172.21.1.0/28, ipv6: 'fd21:1::/64' }" }))).toContain('128 hosts');
    expect(refusal(cluster({ nodes: '[{ name: n1, pods: [n1] }]' }))).toContain('two places called n1');
    expect(refusal(cluster({ nodes: '[{ name: control }]' }))).toContain('two places called control');
    expect(refusal(cluster(), cluster({ name: 'west' }))).toContain('two clusters have id 1');
    expect(refusal(cluster(), cluster({ name: 'west', id: '2', underlay: "{ ipv4: 172.21.0.0/16, ipv6: 'fd21:2::/64' }" }))).toContain(
      'the underlays of east and west overlap',
    );
  });

  it('says which file it could not read', () => {
    expect(() => loadTopology('nowhere')).toThrow('lab/topologies/nowhere.yaml');
  });
});

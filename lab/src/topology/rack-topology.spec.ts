import { CodedError } from '@isthmus/core';
import { parseTopology } from './topology.ts';

const RACKS = `
routeServer: { asn: 65100, underlay: { ipv4: 172.20.0.0/24, ipv6: "fd20::/64" } }
racks: [{ name: r1, daemon: frr, asn: 65101, links: { ipv4: 172.22.1.0/24, ipv6: "fd22:1::/64" } }]
`;
const CLUSTER = `
clusters:
  - name: east
    id: 1
    rack: r1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/16, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    nodes: [{ name: n1, asn: 65011 }, { name: n2, asn: 65012 }]
`;

function complaint(text: string): string {
  try {
    parseTopology(text, 'test');
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('racks in a topology', () => {
  it('need a route server, whose name is rs unless it says otherwise', () => {
    expect(parseTopology(RACKS + CLUSTER, 'test').routeServer?.name).toBe('rs');
    expect(complaint(RACKS.replace(/routeServer.*/, '') + CLUSTER)).toContain('racks need a route server');
  });

  it('are not there unless they are asked for', () => {
    const plain = CLUSTER.replace('    rack: r1\n', '').replaceAll(/, asn: \d+/g, '');
    expect(parseTopology(plain, 'test').racks).toEqual([]);
    expect(complaint(plain + RACKS.replace(/racks.*/, ''))).toContain('there is a route server, and no rack');
    expect(complaint(CLUSTER)).toContain('east is in a rack, and there are none');
  });

  it.each([
    ['a cluster in none', CLUSTER.replace('    rack: r1\n', ''), 'east must name one of the racks'],
    ['a cluster in one that is not there', CLUSTER.replace('rack: r1', 'rack: r9'), 'east must name one of the racks'],
    ['a node without an AS number', CLUSTER.replace(', asn: 65012', ''), 'east/n2 is in a rack and needs an asn'],
    [
      "two nodes with one AS number: a ToR would keep the one's routes from the other",
      CLUSTER.replace('65012', '65011'),
      'AS number 65011',
    ],
    ['a node with the AS number of its ToR', CLUSTER.replace('65012', '65101'), 'AS number 65101'],
    ['a cluster called like a rack', CLUSTER.replace('name: east', 'name: r1'), 'called r1'],
    ['a cluster called like the route server', CLUSTER.replace('name: east', 'name: rs'), 'called rs'],
    ["a cluster's network among the links", CLUSTER.replace('172.21.1.0', '172.22.1.0'), 'the underlays of east and r1 overlap'],
    ["a cluster's network on the racks' segment", CLUSTER.replace('fd21:1::', 'fd20::'), 'the underlays of east and rs overlap'],
  ])('refuse %s', (_, clusters, message) => {
    expect(complaint(RACKS + clusters)).toContain(message);
  });
});

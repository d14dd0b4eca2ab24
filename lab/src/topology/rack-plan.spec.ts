import { cableOfDevice, cablesOf } from '../network/cable.ts';
import { hookBatches, namespaceSysctls, networkBatches } from '../network/network-script.ts';
import { allPlaces, linksOf, planLab } from './plan.ts';
import { loadTopology } from './topology.ts';

const plan = planLab('lab', loadTopology('bgp-rack'));
const [east, west] = plan.clusters;
const [n1, n2] = east?.nodes ?? [];
if (!east || !west || !n1 || !n2) throw new Error('bgp-rack has two clusters of two nodes');
/** IFNAMSIZ without the closing NUL. */
const DEVICE_NAME_MAX = 15;

describe('the plan of a lab with racks', () => {
  it('has the route server, the ToRs, and no router', () => {
    expect(allPlaces(plan).map(({ id }) => id)).toEqual(expect.arrayContaining(['rs', 'r1', 'r2', 'east/control', 'east/n1', 'east/a1']));
    expect(allPlaces(plan).some(({ id }) => id === 'router')).toBe(false);
    for (const key of ['id', 'netns', 'cgroup'] as const)
      expect(new Set(allPlaces(plan).map((place) => place[key])).size).toBe(allPlaces(plan).length);
  });

  it('gives each node two links of its own, and the first of a rack a password', () => {
    const [first, second] = linksOf(plan, n1);
    expect(first).toMatchObject({ device: 'up0', port: 'port0', asn: 65011, tor: { ipv4: '172.22.1.2', ipv6: 'fd22:1::2' } });
    expect(second).toMatchObject({ device: 'up1', port: 'port1', own: { ipv4: '172.22.1.5', ipv6: 'fd22:1::5' } });
    expect(linksOf(plan, n2).map(({ tor }) => tor.ipv4)).toEqual(['172.22.1.6', '172.22.1.8']);
    const passwords = plan.fabric?.racks.map((rack) => rack.links.map(({ password }) => password !== undefined));
    expect(passwords).toEqual([
      [true, false, false, false],
      [true, false, false, false],
    ]);
  });

  it('puts both ends of a link into one network of two addresses', () => {
    for (const { tor, own } of plan.fabric?.racks.flatMap((rack) => rack.links) ?? []) {
      const [low, high] = [tor, own].map(({ ipv4 }) => Number(ipv4.split('.')[3]));
      expect([low! % 2, high]).toEqual([0, low! + 1]);
    }
  });

  it('knows the cables of nodes and control planes, and where they end', () => {
    expect(cablesOf(plan, n2)).toEqual(['port2', 'port3'].map((device) => ({ netns: 'isthmus-lab-r1', device })));
    expect(cableOfDevice(plan, n2, 'up1').device).toBe('port3');
    expect(cablesOf(plan, west.control)).toEqual([{ netns: 'isthmus-lab-r2', device: 'control2' }]);
    expect(() => cableOfDevice(plan, n2, 'eth0')).toThrow('east/n2 has no device eth0; it has up0, up1');
    expect(() => cablesOf(plan, plan.router)).toThrow('rs has no cable');
  });
});

describe('the network of a lab with racks', () => {
  const linesOf = (netns: string): string[] =>
    networkBatches(plan)
      .filter((batch) => batch.netns === netns)
      .flatMap(({ lines }) => lines);

  it('sends a node by both links, from the address on its loopback', () => {
    const lines = linesOf(n1.netns);
    expect(lines).toContain('address add 172.21.1.11/32 dev lo');
    expect(lines).toContain('route add 0.0.0.0/0 src 172.21.1.11 nexthop via 172.22.1.2 dev up0 nexthop via 172.22.1.4 dev up1');
    expect(lines).toContain('route add ::/0 src fd21:1::b nexthop via fd22:1::2 dev up0 nexthop via fd22:1::4 dev up1');
  });

  it('leads ToRs to what is in their rack, and to the other rack by its ToR', () => {
    const lines = linesOf('isthmus-lab-r1');
    expect(lines).toContain('route replace 172.21.1.12/32 nexthop via 172.22.1.7 dev port2 nexthop via 172.22.1.9 dev port3');
    expect(lines).toContain('route replace 172.21.1.10/32 dev control1');
    expect(lines).toContain('route replace fd21:2::b/128 via fd20::c');
    expect(lines.filter((line) => line.includes('10.1.'))).toEqual([]);
  });

  it('hooks every cable at its far end, and names devices as the kernel allows', () => {
    expect(hookBatches(plan).map(({ netns, lines }) => [netns, lines.length])).toEqual([
      ['isthmus-lab-r1', 5],
      ['isthmus-lab-r2', 5],
    ]);
    const names = networkBatches(plan).flatMap(({ lines }) => lines.flatMap((line) => line.match(/(?:link add|peer name) (\S+)/g) ?? []));
    for (const name of names) expect(name.split(' ').at(-1)?.length).toBeLessThanOrEqual(DEVICE_NAME_MAX);
  });

  it('spreads flows in its namespaces, and leaves those of other labs as they were', () => {
    const bridged = planLab('lab', loadTopology('two-clusters'));
    expect(namespaceSysctls(plan)).toContain('net.ipv4.fib_multipath_hash_policy=1');
    expect(namespaceSysctls(bridged)).toEqual(namespaceSysctls());
    expect(namespaceSysctls()).not.toContain('net.ipv4.fib_multipath_hash_policy=1');
    expect(hookBatches(bridged).map(({ netns }) => netns)).toEqual(['isthmus-lab-router']);
  });
});

import { networkBatches } from '../network/network-script.ts';
import { labPaths } from './lab-paths.ts';
import { allPlaces, planLab } from './plan.ts';
import { loadTopology } from './topology.ts';

const topology = loadTopology('two-clusters');
/** IFNAMSIZ without the closing NUL. */
const DEVICE_NAME_MAX = 15;

describe('the plan of a lab', () => {
  const plan = planLab('lab', topology);

  it('gives every place names of its own, all with the name of the lab', () => {
    const places = allPlaces(plan);
    expect(places).toHaveLength(1 + 2 + 4 + 8);
    for (const key of ['id', 'netns', 'cgroup'] as const) expect(new Set(places.map((place) => place[key])).size).toBe(places.length);
    for (const place of places) {
      expect(place.netns).toMatch(/^isthmus-lab-/);
      expect(place.cgroup).toMatch(/^isthmus-lab-lab\//);
    }
  });

  it('puts the cgroup of a pod below that of its node, whose socket hooks then see it', () => {
    for (const node of plan.clusters.flatMap((cluster) => cluster.nodes)) {
      for (const pod of node.pods) expect(pod.cgroup.startsWith(`${node.cgroup}/`)).toBe(true);
    }
  });

  it('numbers the underlay', () => {
    const [east] = plan.clusters;
    expect(east?.gateway).toEqual({ ipv4: '172.21.1.1', ipv6: 'fd21:1::1' });
    expect(east?.nodes.map((node) => node.addresses.ipv4)).toEqual(['172.21.1.11', '172.21.1.12']);
  });

  it('shares no name with a lab beside it', () => {
    const other = new Set(allPlaces(planLab('second', topology)).flatMap((place) => [place.netns, place.cgroup]));
    for (const place of allPlaces(plan)) for (const name of [place.netns, place.cgroup]) expect(other.has(name)).toBe(false);
  });

  it('names devices as the kernel allows', () => {
    const names = networkBatches(plan).flatMap(({ lines }) => lines.flatMap((line) => line.match(/(?:link add|peer name) (\S+)/g) ?? []));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name.split(' ').at(-1)?.length).toBeLessThanOrEqual(DEVICE_NAME_MAX);
  });
});

describe('the name of a lab', () => {
  it.each(['', 'Lab', 'a-b', '1lab', '../x', 'abcdefghijklm'])('cannot be %j', (name) => {
    expect(() => labPaths(name)).toThrow('a lab cannot be called');
  });
});

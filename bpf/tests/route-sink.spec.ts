import { ROUTE_PROTOCOL, RouteSink, withNetns } from '@isthmus/datapath';
import { Cleanup } from './cleanup.ts';
import { createNetns, type TestNetns } from './netns.ts';

const cleanup = new Cleanup();
const [MTU, OWN_CLUSTER] = [1400, 1];
let netns: TestNetns;
let sink: RouteSink;

beforeEach(() => {
  netns = cleanup.add(createNetns('routes'), (made) => made.remove());
  netns.ip('link add isth_host index 80 type veth peer name isth_net');
  for (const device of ['isth_host', 'isth_net']) netns.ip(`link set ${device} up`);
  sink = new RouteSink({ device: 80, via: { 4: '169.254.42.1', 6: 'fe80::1' }, source: { 4: '', 6: '' }, ownClusterId: OWN_CLUSTER });
});

afterEach(() => cleanup.run());

const update = (...rows: { key: string; clusterId: number }[]): unknown[] =>
  withNetns(netns.path, () => [...sink.update(rows.map(({ key, clusterId }) => ({ key, row: { clusterId, mtu: MTU } })))]);

/** Destination and metric of each route that the kernel lists under our number. */
function routes(): string[] {
  const lines = [4, 6].flatMap((family) => netns.exec(`ip -${family} route show proto ${ROUTE_PROTOCOL}`).trim().split('\n'));
  return lines.filter(Boolean).map((line) => line.replace(/ via.* metric (\d+).*/, ' $1'));
}

describe('RouteSink', () => {
  it('writes a batch of both families, and takes away what is named and no more', () => {
    const rows = ['10.1.0.0/24', '10.2.0.0/24', 'fd00:1::/64', 'fd00:2::/64'].map((key) => ({ key, clusterId: 3 }));
    expect(update(...rows)).toEqual([]);
    expect(routes()).toEqual(rows.map(({ key }) => `${key} 4099`));
    expect([...withNetns(netns.path, () => sink.delete(['10.1.0.0/24', 'fd00:2::/64', '10.9.0.0/24']))]).toEqual([]);
    expect(routes()).toEqual(['10.2.0.0/24 4099', 'fd00:1::/64 4099']);
  });

  it('leaves one route of a CIDR that moved to another cluster, and the others alone', () => {
    update({ key: '10.1.0.0/24', clusterId: 3 }, { key: 'fd00:1::/64', clusterId: 3 }, { key: '10.2.0.0/24', clusterId: 3 });
    update({ key: '10.1.0.0/24', clusterId: 4 }, { key: 'fd00:1::/64', clusterId: 4 });
    expect(routes()).toEqual(['10.1.0.0/24 4100', '10.2.0.0/24 4099', 'fd00:1::/64 4100']);
  });

  it('names the route that the kernel refuses, and writes the others', () => {
    const [refused, ...more] = update({ key: '10.1.0.1/24', clusterId: 3 }, { key: '10.2.0.0/24', clusterId: 3 }) as [string, Error][];
    expect([refused?.[0], more.length]).toEqual(['10.1.0.1/24', 0]);
    expect(routes()).toEqual(['10.2.0.0/24 4099']);
  });

  it("touches no route of another's", () => {
    netns.ip('route add 10.1.0.0/24 dev isth_host metric 9 proto static');
    update({ key: '10.1.0.0/24', clusterId: 3 });
    withNetns(netns.path, () => sink.delete(['10.1.0.0/24']));
    expect(netns.exec('ip route show 10.1.0.0/24')).toContain('metric 9');
  });
});

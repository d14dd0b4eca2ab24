import {
  allNodes,
  cutLink,
  Lab,
  leftovers,
  linksOf,
  type NodePlace,
  ping,
  RACK_FAMILIES,
  type RackPlan,
  routeServerSessions,
  silenceLink,
  type TorRoute,
  torKernelHops,
  torRoutes,
  torSession,
  waitUntil,
  withFault,
} from '@isthmus/lab';
import { StandIn } from './rack-stand-in.ts';

// The routers of the lab's racks, with a BIRD in each node's place in the agent's stead. One lab serves all tests: each leaves it as it was.

const NAME = 'bgprack';
const MINUTE_MS = 60_000;
/** On a machine that is late BFD fails sessions that are just up, and they begin anew. */
const TIMEOUT_MS = MINUTE_MS;
const GRACEFUL_SHUTDOWN = '(65535,0)';
import.meta.jest.setTimeout(5 * MINUTE_MS);

let lab: Lab;
const standIns = new Map<string, StandIn>();

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up('bgp-rack', { name: NAME, through: 'machine' });
  for (const node of allNodes(lab)) {
    standIns.set(node.id, new StandIn(lab, node));
    await announce(node);
  }
}, MINUTE_MS);

afterAll(async () => {
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
}, MINUTE_MS);

/** A pod CIDR of each family, told apart by the last number of the node's address. */
function prefixes({ addresses, cluster }: NodePlace): { ipv4: string; ipv6: string } {
  const { id } = lab.cluster(cluster);
  const host = addresses.ipv4.split('.').at(-1);
  return { ipv4: `10.${id}.${host}.0/24`, ipv6: `fd10:${id}::${host}:0/112` };
}

/** The address of a service that all nodes of a cluster announce. */
function shared({ cluster }: NodePlace): { ipv4: string; ipv6: string } {
  const { id } = lab.cluster(cluster);
  return { ipv4: `10.20${id}.0.1/32`, ipv6: `fd10:20${id}::1/128` };
}

/** A node announces a pod CIDR and the service's address. */
function announce(node: NodePlace, attributes = 'bgp_community.add((65000,7))', password?: string): Promise<void> | undefined {
  const [own, service] = [prefixes(node), shared(node)];
  const lines = (...all: string[]): string[] => all.map((prefix) => `route ${prefix} blackhole { ${attributes}; };`);
  return standIns.get(node.id)?.announce({ ipv4: lines(own.ipv4, service.ipv4), ipv6: lines(own.ipv6, service.ipv6) }, password);
}

function racks(): readonly RackPlan[] {
  return lab.plan.fabric?.racks ?? [];
}

function rackOf(node: NodePlace): RackPlan {
  return lab.cluster(node.cluster).rack as RackPlan;
}

function routesUntil(tor: RackPlan, prefix: string, right: (routes: readonly TorRoute[]) => boolean): Promise<TorRoute[]> {
  let seen: TorRoute[] = [];
  const look = async (): Promise<TorRoute[] | false> => {
    seen = await torRoutes(lab, tor, prefix);
    return right(seen) && seen;
  };
  return waitUntil(look, { what: `${tor.id} to have ${prefix}`, timeoutMs: TIMEOUT_MS, onTimeout: () => JSON.stringify(seen) });
}

async function untilSessions(node: NodePlace): Promise<void> {
  for (const link of linksOf(lab.plan, node))
    for (const family of RACK_FAMILIES) {
      const up = async (): Promise<boolean> => {
        const { established, bfd, received } = await torSession(lab, rackOf(node), link, family);
        return established && bfd === 'up' && received === 2;
      };
      await waitUntil(up, { what: `${node.id} ${link.device} ${family}`, timeoutMs: TIMEOUT_MS });
    }
}

async function hopsUntil(tor: RackPlan, prefix: string, wanted: readonly string[]): Promise<void> {
  let seen: string[] = [];
  const right = async (): Promise<boolean> => {
    seen = await torKernelHops(lab, tor, prefix);
    return JSON.stringify(seen) === JSON.stringify([...wanted].sort());
  };
  await waitUntil(right, { what: `${tor.id} to send ${prefix} to ${wanted}`, timeoutMs: TIMEOUT_MS, onTimeout: () => seen.join(' ') });
}

describe('the routers between racks', () => {
  it('speak with the route server over each family', async () => {
    for (const tor of racks()) {
      const all = async (): Promise<boolean> => (await routeServerSessions(lab, tor)).every(({ established }) => established);
      await waitUntil(all, { what: `${tor.id} to speak with the route server`, timeoutMs: TIMEOUT_MS });
      expect(await routeServerSessions(lab, tor)).toHaveLength(2);
    }
  });

  it('lead from every node to every other node and control plane by static routes, full packets too', async () => {
    const places = lab.plan.clusters.flatMap(({ control, nodes }) => [control, ...nodes]);
    for (const from of places)
      for (const { id, addresses } of places) {
        expect([from.id, id, await ping(lab, from, addresses.ipv4, { size: 1472 })]).toEqual([from.id, id, true]);
        expect([from.id, id, await ping(lab, from, addresses.ipv6, { size: 1452 })]).toEqual([from.id, id, true]);
      }
  });

  it('have sessions with BFD over each family of each link of each node', async () => {
    for (const node of allNodes(lab)) await untilSessions(node);
  });

  it('take a route over both links, keep its attributes, and forward over both', async () => {
    for (const node of allNodes(lab)) {
      const prefix = prefixes(node).ipv4;
      const links = linksOf(lab.plan, node);
      const routes = await routesUntil(rackOf(node), prefix, ({ length }) => length === 2);
      const owns = links.map(({ own }) => own.ipv4);
      expect(routes.map(({ nextHop }) => nextHop).sort()).toEqual([...owns].sort());
      expect(routes.map(({ peer }) => peer).sort()).toEqual([...owns].sort());
      expect(routes.filter(({ best }) => best)).toHaveLength(1);
      for (const { asPath, communities } of routes) expect([asPath, communities]).toEqual([[links[0]?.asn], ['65000:7']]);
      await hopsUntil(rackOf(node), prefix, owns);
    }
  });

  it('give it to the other rack with the next hop and path as they are', async () => {
    for (const node of allNodes(lab))
      for (const family of RACK_FAMILIES) {
        const [own, other] = [rackOf(node), racks().find(({ id }) => id !== rackOf(node).id) as RackPlan];
        const [route] = await routesUntil(other, prefixes(node)[family], ({ length }) => length === 1);
        expect(route).toMatchObject({
          nextHop: own.addresses[family],
          asPath: [own.asn, linksOf(lab.plan, node)[0]?.asn],
          communities: ['65000:7'],
        });
        await hopsUntil(other, prefixes(node)[family], [own.addresses[family]]);
        const told = await standIns.get(allNodes(lab).find((one) => rackOf(one).id === other.id)?.id ?? '')?.route(prefixes(node)[family]);
        expect(told).toContain(`BGP.as_path: ${other.asn} ${own.asn} ${route?.asPath[1]}`);
      }
  });

  it('prefer any other to a route that is about to go (RFC 8326)', async () => {
    for (const node of allNodes(lab).filter(({ name }) => name === 'n1')) {
      await announce(node, `bgp_community.add(${GRACEFUL_SHUTDOWN})`);
      const shut = (routes: readonly TorRoute[]): boolean =>
        routes.length > 0 && routes.every(({ communities, localPreference }) => communities[0] === '65535:0' && localPreference === 0);
      for (const tor of racks()) await routesUntil(tor, prefixes(node).ipv6, shut);
      await announce(node);
      for (const tor of racks()) await routesUntil(tor, prefixes(node).ipv6, (routes) => routes.every((one) => one.localPreference !== 0));
    }
  });

  it('send to every node that announces a prefix, and not to one that is about to go', async () => {
    for (const { nodes } of lab.plan.clusters) {
      const [first, second] = nodes;
      if (!first || !second) throw new Error('a rack has two nodes');
      const tor = rackOf(first);
      const hopsOf = (...some: NodePlace[]): string[] => some.flatMap((node) => linksOf(lab.plan, node).map(({ own }) => own.ipv4));
      await hopsUntil(tor, shared(first).ipv4, hopsOf(first, second));
      await announce(first, `bgp_community.add(${GRACEFUL_SHUTDOWN})`);
      await hopsUntil(tor, shared(first).ipv4, hopsOf(second));
      await announce(first);
      await hopsUntil(tor, shared(first).ipv4, hopsOf(first, second));
    }
  });

  it('send over the other link when one is silent, and over both again', async () => {
    for (const node of allNodes(lab).filter(({ name }) => name === 'n2')) {
      const [first, second] = linksOf(lab.plan, node).map(({ own }) => own.ipv4);
      await withFault(lab, silenceLink(node.id, 'up0'), () => hopsUntil(rackOf(node), prefixes(node).ipv4, [second ?? '']));
      await hopsUntil(rackOf(node), prefixes(node).ipv4, [first ?? '', second ?? '']);
    }
  });

  it('reach a node over the other link when one has no carrier, without BGP', async () => {
    for (const node of allNodes(lab)) {
      const { control } = lab.plan.clusters.find(({ name }) => name !== node.cluster) ?? lab.cluster(node.cluster);
      for (const device of node.devices)
        await withFault(lab, cutLink(node.id, device), async () => {
          for (const address of [node.addresses.ipv4, node.addresses.ipv6])
            expect([node.id, device, await ping(lab, control, address)]).toEqual([node.id, device, true]);
        });
      await untilSessions(node);
      await hopsUntil(
        rackOf(node),
        `${node.addresses.ipv4}/32`,
        linksOf(lab.plan, node).map(({ own }) => own.ipv4),
      );
      await hopsUntil(
        rackOf(node),
        `${node.addresses.ipv6}/128`,
        linksOf(lab.plan, node).map(({ own }) => own.ipv6),
      );
    }
  });

  it('refuse the protected session with another password, and no other', async () => {
    for (const node of allNodes(lab).filter(({ name }) => name === 'n1')) {
      const [link] = linksOf(lab.plan, node).filter(({ password }) => password !== undefined);
      if (link === undefined) throw new Error(`${node.id} has no protected session`);
      await standIns.get(node.id)?.stop();
      await announce(node, undefined, 'wrong');
      await routesUntil(rackOf(node), prefixes(node).ipv4, ({ length }) => length === 1);
      expect((await torSession(lab, rackOf(node), link, 'ipv4')).established).toBe(false);
      await standIns.get(node.id)?.stop();
      await announce(node);
      await untilSessions(node);
    }
  });

  it('forget what a node withdraws', async () => {
    for (const node of allNodes(lab).filter(({ name }) => name === 'n2')) {
      await standIns.get(node.id)?.announce({ ipv4: [], ipv6: [] });
      for (const tor of racks()) await routesUntil(tor, prefixes(node).ipv4, ({ length }) => length === 0);
      for (const tor of racks()) await hopsUntil(tor, prefixes(node).ipv4, []);
    }
  });
});

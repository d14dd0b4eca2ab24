import { isthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { applyToCluster } from '../rack/bgp-objects.ts';
import { FAMILIES } from '../rack/rack-session.ts';
import type { TorRoute } from '../rack/tor-view.ts';
import type { ClusterPlan, NodePlace, Place } from '../topology/plan.ts';
import { rackOf, untilRoutes, vipPrefixes } from './bgp-view.ts';
import { type Check, expectThat } from './check.ts';
import { hasRacks } from './rack.checks.ts';

/** Name of the pool and of its advertisement. */
const NAME = 'lab-pool';
/** All of it is one node's share. */
const CIDRS = { ipv4: '10.64.0.0/27', ipv6: 'fd10:64::/120' } as const;
const COMMUNITY = '65000:3';

interface NodeObject {
  readonly spec: { readonly ipam?: object };
}

/**
 * A node's share of a pod pool is in its ToR while the node has it. Whoever sends there, or to the address of a service, hears from the node that it
 * is unreachable: nothing goes round between the two.
 */
export const podPoolCheck: Check = {
  name: 'bgp-pod-pool',
  disruptive: true,
  applies: hasRacks,
  async run(lab) {
    const [cluster] = lab.plan.clusters;
    const node = cluster?.nodes[0];
    expectThat(cluster !== undefined && node !== undefined, 'there is no node');
    const tor = rackOf(lab, node);
    try {
      await applyToCluster(lab.plan, cluster, [pool(), advertisement()]);
      await changeIpam(lab, cluster, node, { requested: [{ pool: NAME, needed: { 'ipv4-addrs': 8, 'ipv6-addrs': 8 } }] });
      for (const family of FAMILIES) await untilRoutes(lab, tor, CIDRS[family], announced);
      const vips = await vipPrefixes(lab, cluster);
      for (const family of FAMILIES)
        for (const prefix of [CIDRS[family], vips[family]]) await expectUnreachable(lab, tor, prefix.replace(/\/.*/, ''));
    } finally {
      await changeIpam(lab, cluster, node, {});
      await remove(lab, cluster, 'ciliumpodippool');
      await remove(lab, cluster, 'ciliumbgpadvertisement');
    }
    for (const family of FAMILIES) await untilRoutes(lab, tor, CIDRS[family], gone);
    return `${CIDRS.ipv4} and ${CIDRS.ipv6} of ${node.id} came to ${tor.id} and went; there and at ${cluster.name}'s VIP nobody answers`;
  },
};

function pool(): object {
  const spec = { ipv4: { cidrs: [CIDRS.ipv4], maskSize: 27 }, ipv6: { cidrs: [CIDRS.ipv6], maskSize: 120 } };
  return { apiVersion: 'cilium.io/v2alpha1', kind: 'CiliumPodIPPool', metadata: { name: NAME, labels: { advertise: 'rack' } }, spec };
}

function advertisement(): object {
  const entry = {
    advertisementType: 'CiliumPodIPPool',
    selector: { matchLabels: { advertise: 'rack' } },
    attributes: { communities: { standard: [COMMUNITY] } },
  };
  const metadata = { name: NAME, labels: { advertise: 'rack' } };
  return { apiVersion: 'cilium.io/v2', kind: 'CiliumBGPAdvertisement', metadata, spec: { advertisements: [entry] } };
}

/** Gives a node's record other pools, and leaves the rest of it. */
async function changeIpam(lab: Lab, cluster: ClusterPlan, node: NodePlace, pools: object): Promise<void> {
  const words = ['get', 'ciliumnode', node.name, '--context', cluster.name, '-o', 'json'];
  const object = JSON.parse(await isthmus(lab.plan, cluster.control, words)) as NodeObject;
  await applyToCluster(lab.plan, cluster, [{ ...object, spec: { ...object.spec, ipam: { ...object.spec.ipam, pools } } }]);
}

async function remove(lab: Lab, cluster: ClusterPlan, kind: string): Promise<void> {
  await isthmus(lab.plan, cluster.control, ['delete', kind, NAME, '--context', cluster.name]);
}

function announced(routes: readonly TorRoute[]): string {
  if (routes.length === 0) return 'there is no route';
  const other = routes.find(({ communities }) => communities.join() !== COMMUNITY);
  return other === undefined ? '' : `it has the communities ${other.communities.join(' ')}`;
}

function gone(routes: readonly TorRoute[]): string {
  return routes.length === 0 ? '' : `${routes.length} routes are left`;
}

async function expectUnreachable(lab: Lab, tor: Place, address: string): Promise<void> {
  const { stdout } = await lab.exec(tor, ['ping', '-n', '-c', '1', '-W', '2', address]);
  expectThat(/unreachable|no route/i.test(stdout), `${tor.id} to ${address}: ${stdout.split('\n')[1] || 'no answer at all'}`);
}

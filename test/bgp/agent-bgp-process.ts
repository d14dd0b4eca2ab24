import { createLogger, LOCAL_SCOPE, systemClock, systemRandom } from '@isthmus/core';
import { LearnedRouteSink } from '@isthmus/datapath';
import { KvResources, MemoryKvServer } from '@isthmus/kvstore';
import { CILIUM_BGP_ADVERTISEMENT, CILIUM_BGP_NODE_CONFIG, CILIUM_BGP_PEER_CONFIG, parseConfig, parseResource } from '@isthmus/model';
import { AgentBgp } from '../../apps/agent/src/bgp/agent-bgp.ts';
import { declareAgentTables } from '../../apps/agent/src/tables/agent-tables.ts';
import { OUR_AS } from './link.ts';

/** What the process is told: one argument, in JSON. */
export interface AgentBgpOptions {
  /** The interface whose neighbour is the peer. */
  readonly device: string;
  readonly peerAsn: number;
  /** What it announces. */
  readonly podCidrs: readonly string[];
  readonly restarting: boolean;
}

/**
 * The BGP of an agent without the agent, in a process of its own, which a test starts inside the namespace of one end of a link: which interface a
 * link-local address is on is looked up in the namespace of the process. One unnumbered peer with graceful restart, what is learned goes into the
 * kernel. At SIGTERM the configuration is taken back before it ends.
 */
const { device, peerAsn, podCidrs, restarting } = JSON.parse(process.argv[2]!) as AgentBgpOptions;
const [node, routerId] = ['n1', '10.99.0.1'];
const log = createLogger('agent', 'debug');
const own = {
  cluster: 'east',
  clusterId: 1,
  node,
  podMtu: 1450,
  routingMode: 'native' as const,
  routerId,
  underlay: { ipv4: '', ipv6: '' },
};
const tables = declareAgentTables(systemClock, own, ({ error }) => log.error({ err: error }, 'a table failed'));
let serial = 0;
const resources = new KvResources({
  kv: new MemoryKvServer({ clock: systemClock }).connect(),
  clock: systemClock,
  random: systemRandom,
  newUid: () => `uid-${++serial}`,
});
const families = ['ipv4', 'ipv6'].map((afi) => ({ afi, safi: 'unicast', advertisements: { matchLabels: { advertise: 'pods' } } }));

const object = (kind: string, name: string, spec: object) => {
  return { apiVersion: 'cilium.io/v2', kind, metadata: { name, labels: { advertise: name } }, spec };
};
const peer = { name: 'tor', peerASN: peerAsn, autoDiscovery: { mode: 'Unnumbered', unnumbered: { interface: device } } };
const settings = { gracefulRestart: { enabled: true }, timers: { connectRetryTimeSeconds: 1 }, routeImport: { mode: 'All' }, families };
const instance = { name: 'rack', localASN: OUR_AS, localPort: 179, peers: [{ ...peer, peerConfigRef: { name: 'tor' } }] };
const objects = [
  [CILIUM_BGP_ADVERTISEMENT, object('CiliumBGPAdvertisement', 'pods', { advertisements: [{ advertisementType: 'PodCIDR' }] })],
  [CILIUM_BGP_PEER_CONFIG, object('CiliumBGPPeerConfig', 'tor', settings)],
  [CILIUM_BGP_NODE_CONFIG, object('CiliumBGPNodeConfig', node, { bgpInstances: [instance] })],
] as const;
for (const [kind, each] of objects) await resources.apply<never>(kind as never, parseResource<never>(kind as never, each) as never);

const { services, localBackends, endpoints, learnedRoutes } = tables.sources;
for (const writer of [services, localBackends, endpoints]) writer.synced(LOCAL_SCOPE);
const bgp = new AgentBgp({
  config: parseConfig({}).config,
  node,
  resources,
  tables,
  restarting,
  drainFile: { load: () => false, save: () => undefined },
  keptFile: { load: () => undefined, save: () => undefined },
  clock: systemClock,
  random: systemRandom,
  log,
});
bgp.group.add({ name: 'learned-routes', table: learnedRoutes.table, target: new LearnedRouteSink() });
bgp.setPodCidrs(podCidrs);
bgp.adopt();
const stop = new AbortController();
process.once('SIGTERM', () => void resources.delete(CILIUM_BGP_NODE_CONFIG, node));
let ran = false;
tables.store.changed.listen(() => {
  const there = [...tables.bgp.speakers.rows()].length > 0;
  if (ran && !there) setImmediate(() => stop.abort());
  ran ||= there;
});
await bgp.run(stop.signal).catch((error: unknown) => {
  if (!stop.signal.aborted) throw error;
});

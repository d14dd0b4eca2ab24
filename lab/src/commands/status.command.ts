import type { Command } from 'commander';
import { DEFAULT_LAB, Lab } from '../lab.ts';
import type { Addresses, ClusterPlan, LabPlan, PodPlace } from '../topology/plan.ts';
import type { RackPlan, RouterPlace } from '../topology/rack-plan.ts';
import { printTable } from './print.ts';

/** Adds `status`: exit status 0 only when every process runs. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show the places and processes of a lab')
    .option('--name <lab>', 'name of the lab', DEFAULT_LAB)
    .option('-o, --output <format>', 'json for programs')
    .action(status);
}

function status(options: { name: string; output?: string }): void {
  const lab = Lab.open(options.name);
  const processes = lab.processes.list();
  if (options.output === 'json') console.log(JSON.stringify(statusJson(lab, processes), undefined, 2));
  else printStatus(lab, processes);
  if (!processes.every((process) => process.alive)) process.exitCode = 1;
}

/** What a ToR is asked first. */
const SHOW_SESSIONS = { frr: "vtysh -c 'show bgp summary'", bird: 'birdc show protocols', gobgp: 'gobgp neighbor' } as const;

type Processes = ReturnType<Lab['processes']['list']>;

function printStatus(lab: Lab, processes: Processes): void {
  printTable([['PLACE', 'KIND', 'IPV4', 'IPV6'], ...routerRows(lab), ...lab.plan.clusters.flatMap((cluster) => placeRows(lab, cluster))]);
  console.log();
  printTable([
    ['PROCESS', 'STATE', 'PID', 'LOG'],
    ...processes.map(({ id, alive, pid, log }) => [id, alive ? 'running' : 'ended', String(pid), log]),
  ]);
  console.log(`\nTry next:\n${suggestions(lab).join('\n')}`);
}

function routerRows({ plan }: Lab): string[][] {
  return routers(plan).map(({ id, asn, daemon, addresses, links }) => [
    id,
    links ? `ToR with ${links.length} links, ${daemon}, AS ${asn}` : `route server, ${daemon}, AS ${asn}`,
    ...both(addresses),
  ]);
}

function routers({ fabric }: LabPlan): (RouterPlace & Partial<RackPlan>)[] {
  return fabric ? [fabric.routeServer, ...fabric.racks] : [];
}

function placeRows(lab: Lab, cluster: ClusterPlan): string[][] {
  return [
    [cluster.control.id, `control plane of ${cluster.name}, cluster ${cluster.id}`, ...both(cluster.control.addresses)],
    ...cluster.nodes.flatMap((node) => [
      [node.id, 'node', ...both(node.addresses)],
      ...node.pods.map((pod) => [pod.id, `pod on ${node.name}, ${labelText(pod.labels)}`, ...both(addressesOf(lab, pod))]),
    ]),
  ];
}

function statusJson(lab: Lab, processes: Processes): object {
  const all = routers(lab.plan);
  return { name: lab.name, ...(all.length > 0 && { routers: all }), clusters: clustersJson(lab), processes };
}

function clustersJson(lab: Lab): object[] {
  return lab.plan.clusters.map(({ name, id, control, nodes }) => ({
    name,
    id,
    control,
    nodes: nodes.map((node) => ({ ...node, pods: node.pods.map((pod) => ({ ...pod, addresses: addressesOf(lab, pod) })) })),
  }));
}

/** A pod has none before the lab has got so far. */
function addressesOf(lab: Lab, pod: PodPlace): Addresses {
  return lab.isAttached(pod) ? lab.podAddresses(pod) : { ipv4: '', ipv6: '' };
}

function both({ ipv4, ipv6 }: Addresses): [string, string] {
  return [ipv4, ipv6];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** What shows most: the mesh as a cluster sees it, a packet from one end of it to the other, and what is dropped. */
function suggestions(lab: Lab): string[] {
  const pods = lab.plan.clusters.flatMap((cluster) => cluster.nodes.flatMap((node) => node.pods));
  const [first, last] = [pods[0], pods.at(-1)];
  const [cluster] = lab.plan.clusters;
  const exec = `  npm run --silent lab -- exec${lab.name === DEFAULT_LAB ? '' : ` --name ${lab.name}`}`;
  return [
    ...(cluster ? [`${exec} ${cluster.name} -- isthmus clustermesh status`] : []),
    ...(first && last && lab.isAttached(last) ? [`${exec} ${first.id} -- ping -c 3 ${lab.podAddresses(last).ipv4}    # ${last.id}`] : []),
    ...(first ? [`${exec} ${first.cluster}/${first.node} -- isthmus monitor`] : []),
    ...(lab.plan.fabric?.racks ?? []).map((rack) => `${exec} ${rack.id} -- ${SHOW_SESSIONS[rack.daemon]}`),
  ];
}

import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  agentId,
  agentSocket,
  type ClusterPlan,
  type CommandOptions,
  type CommandResult,
  type Lab,
  MESH_ETCD_PORT,
  type NodePlace,
  type Place,
  parseTopology,
  etcdctl as runEtcdctl,
  tryCommand,
  waitForAgent,
  waitUntil,
} from '@isthmus/lab';

/**
 * East has pod addresses for two nodes, and on each for one pod. North's pods would have addresses of east's. The nodes are not taken in by
 * the lab: the tests do that, and get it wrong first.
 */
export const TOPOLOGY = parseTopology(
  `
clusters:
  - name: east
    id: 1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/29, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    config: { cluster-pool-ipv4-mask-size: "30", ipam-reuse-delay: "0" }
    nodes:
      - { name: n1, pods: [a1, a2] }
      - { name: n2, pods: [b1] }
  - name: west
    id: 2
    underlay: { ipv4: 172.21.2.0/24, ipv6: "fd21:2::/64" }
    pods: { ipv4: 10.2.0.0/16, ipv6: "fd10:2::/104" }
    services: { ipv4: 10.102.0.0/16, ipv6: "fd10:102::/112" }
    nodes: [{ name: n1 }]
  - name: north
    id: 3
    underlay: { ipv4: 172.21.3.0/24, ipv6: "fd21:3::/64" }
    pods: { ipv4: 10.1.0.4/30, ipv6: "fd10:3::/104" }
    services: { ipv4: 10.103.0.0/16, ipv6: "fd10:103::/112" }
    config: { cluster-pool-ipv4-mask-size: "30" }
    nodes: [{ name: n1 }]
`,
  'the topology of the error tests',
);

/** Where the agent's files lie, as it sees them. */
const INSIDE = '/run/isthmus';
const RUN_APP = fileURLToPath(new URL('../../../scripts/run-app', import.meta.url));
const WITH_NODE = fileURLToPath(new URL('../../../scripts/with-node', import.meta.url));
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const PROCESS_TIMEOUT_MS = 45_000;

/** Exit status of a process that cannot run as it is configured. */
export const EXIT_CONFIG = 78;

/** The last line of a process's log: the reason of its end. */
export interface LastWords {
  readonly msg: string;
  readonly err: { readonly code?: string; readonly object?: string; readonly message: string; readonly action?: string };
}

/** The part of an agent's status that the tests look at. */
export interface AgentStatus {
  readonly ready: boolean;
  readonly waitingFor?: string;
  readonly connections: Readonly<Record<string, { connected: boolean; problem?: { code: string; object: string; action: string } }>>;
}

/** The command line of one of the apps. */
export function appCommand(app: string, ...args: readonly string[]): string[] {
  return [RUN_APP, app, ...args];
}

/** A command line as a user without any right. */
export function asNobody(argv: readonly string[]): string[] {
  return [...NOBODY, ...argv];
}

/** Runs a command on the machine itself. */
export function onMachine(argv: readonly string[]): Promise<CommandResult> {
  return tryCommand(argv, { timeoutMs: PROCESS_TIMEOUT_MS });
}

/** `isthmus` in a place of the lab, with the lab's contexts. */
export function isthmus(lab: Lab, place: Place | string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const env = { ISTHMUS_CONFIG: join(lab.plan.paths.data, 'isthmus-config'), ISTHMUS_SOCK: `${INSIDE}/isthmus.sock` };
  return lab.exec(place, appCommand('cli', ...args), { timeoutMs: PROCESS_TIMEOUT_MS, ...options, env });
}

/** What a person reads when `isthmus` fails: code, object, message, what to do. */
export function cliError(code: string, object: string, message: RegExp): unknown {
  return expect.stringMatching(new RegExp(`^error: ${code} ${escaped(object)}: .*${message.source}.*\\n {2}what to do: \\S`, 'm'));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The command line of a node's agent, as its administrator would write it. */
export function agentCommand(cluster: ClusterPlan, node: NodePlace, ...flags: readonly string[]): string[] {
  const settings = {
    'cluster-name': cluster.name,
    'cluster-id': String(cluster.id),
    'node-name': node.name,
    'etcd-config': `${INSIDE}/pki/etcd-config.yaml`,
    'mesh-etcd-config': `${INSIDE}/pki/mesh-etcd-config.yaml`,
    'state-dir': `${INSIDE}/state`,
    'socket-path': `${INSIDE}/isthmus.sock`,
    ...cluster.topology.config,
  };
  return appCommand('agent', ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]), ...flags);
}

/** Runs an agent that is expected to end by itself. */
export function agentToItsEnd(lab: Lab, node: NodePlace, ...flags: readonly string[]): Promise<CommandResult> {
  return lab.exec(node, agentCommand(lab.cluster(node.cluster), node, ...flags), { timeoutMs: PROCESS_TIMEOUT_MS });
}

/** Starts a node's agent and does not wait. */
export function startAgent(lab: Lab, node: NodePlace, ...flags: readonly string[]): void {
  lab.processes.start({ id: agentId(node), place: node, argv: agentCommand(lab.cluster(node.cluster), node, ...flags) });
}

/** Starts a node's agent and waits until it serves pods. */
export async function startReadyAgent(lab: Lab, node: NodePlace): Promise<void> {
  startAgent(lab, node);
  await waitForAgent(lab.processes, node);
}

/** Takes a node into its cluster: a token, then a key of its own and certificates for it. */
export async function enrol(lab: Lab, node: NodePlace): Promise<void> {
  const { control } = lab.cluster(node.cluster);
  const token = await isthmus(lab, control, ['node', 'token', 'create', '--context', node.cluster, node.name]);
  const flags = ['--endpoint', `${control.addresses.ipv4}:4280`, '--name', node.name, '--dir', `${INSIDE}/pki`, '--token-file', '-'];
  expect(await isthmus(lab, node, ['node', 'enrol', ...flags], { input: token.stdout.trim() })).toMatchObject({ status: 0 });
}

/** Runs an agent in a machine that was changed by a shell command first; the change is in a mount namespace of its own. */
export function agentAfter(lab: Lab, node: NodePlace, change: string): Promise<CommandResult> {
  const agent = agentCommand(lab.cluster(node.cluster), node);
  const argv = ['unshare', '--mount', 'sh', '-eu', '-c', `${change}; exec "$@"`, 'sh', ...agent];
  return lab.exec(node, argv, { timeoutMs: PROCESS_TIMEOUT_MS });
}

/** The last line of a log that is a line per object. */
export function lastWords(text: string): LastWords {
  return JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as LastWords;
}

/** An agent's status once the condition holds; the agent must answer until then. */
export function statusWhen(node: NodePlace, what: string, holds: (status: AgentStatus) => boolean): Promise<AgentStatus> {
  const look = async (): Promise<AgentStatus | undefined> => {
    const status = await getStatus(agentSocket(node));
    return status && holds(status) ? status : undefined;
  };
  return waitUntil(look, { what: `${node.id}'s agent to say that ${what}`, timeoutMs: 30_000, everyMs: 100 });
}

function getStatus(socketPath: string): Promise<AgentStatus | undefined> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/v1/status', timeout: 2_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    call.on('error', () => resolve(undefined)); // it is starting
    call.end();
  });
}

/** Names of a namespace's devices. */
export async function devices(lab: Lab, place: Place): Promise<string[]> {
  const { stdout } = await lab.exec(place, ['ip', '-json', 'link']);
  return (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname);
}

/** Names of those that are ours. */
export async function ourDevices(lab: Lab, place: Place): Promise<string[]> {
  return (await devices(lab, place)).filter((name) => name.startsWith('isth'));
}

/** Holds a UDP port in a place until `end` is called. */
export function holdUdpPort(lab: Lab, place: Place, port: number): Promise<{ end(): Promise<unknown> }> {
  return hold(lab, place, `require('node:dgram').createSocket('udp6').bind(${port}, bound)`);
}

/** Holds a TCP port of a place's loopback until `end` is called. */
export function holdTcpPort(lab: Lab, place: Place, port: number): Promise<{ end(): Promise<unknown> }> {
  return hold(lab, place, `require('node:net').createServer().listen(${port}, '127.0.0.1', bound)`);
}

async function hold(lab: Lab, place: Place, bind: string): Promise<{ end(): Promise<unknown> }> {
  const script = `const bound = () => console.log('bound'); ${bind}; process.stdin.on('end', () => process.exit(0)).resume();`;
  const command = lab.startCommand(place, [WITH_NODE, '-e', script]);
  await waitUntil(() => command.lines().includes('bound'), { what: `a port to be taken: ${bind}`, timeoutMs: 20_000 });
  return command;
}

/** `etcdctl` on a cluster's mesh etcd, as root. Answers what it printed. */
export function etcdctl(lab: Lab, cluster: ClusterPlan, ...args: readonly string[]): Promise<string> {
  return runEtcdctl(lab, { cluster, port: MESH_ETCD_PORT }, ...args);
}

/** Starts again what was stopped, as it was. */
export function startAgain(lab: Lab, id: string, place: Place): void {
  lab.processes.start({ id, place, argv: lab.processes.get(id).argv });
}

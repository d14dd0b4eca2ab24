import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  addNamespace,
  agentId,
  applyObjects,
  bpfRows,
  CNI_PLUGIN,
  type CommandResult,
  deleteNamespace,
  extraPod,
  type Lab,
  type NodePlace,
  type PodPlace,
  parseTopology,
  tableRows,
  waitForAgent,
  waitUntil,
} from '@isthmus/lab';
import type { EndpointRow } from '@isthmus/model';

/** One node with 61 addresses for pods. Nobody has one of them at the start. */
export const TOPOLOGY = parseTopology(
  `
clusters:
  - name: east
    id: 1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/16, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    config: { cluster-pool-ipv4-mask-size: "26", ipam-reuse-delay: "0" }
    nodes: [{ name: n1 }]
`,
  'the topology of the CNI tests',
);

/** What a node's agent has without any pod. */
const HOST_DEVICES = ['isth_host', 'isth_net', 'isth_vxlan'];

/** The configuration of the network, as a runtime hands it over. */
export const NETWORK = { cniVersion: '1.1.0', name: 'isthmus', type: 'isthmus-cni' };

/** What differs from a call that is right in every respect. */
export interface CallOptions {
  /** Parts of the network configuration; or all of it, as text. */
  readonly config?: object | string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A result, or an error (CNI specification §5). */
export interface CniOutput {
  readonly status: number;
  readonly text: string;
  readonly cniVersion?: string;
  readonly code?: number;
  readonly msg?: string;
  readonly details?: string;
  readonly interfaces?: { name: string; mac: string; sandbox?: string; mtu?: number }[];
  readonly ips?: { address: string; gateway: string; interface: number; version?: string }[];
  readonly routes?: { dst: string; gw: string; mtu?: number }[];
  readonly dns?: object;
}

/** All that a node has of its pods, by the name of the device or the address. */
export interface Traces {
  readonly endpoints: string[];
  readonly devices: string[];
  readonly files: string[];
  readonly published: string[];
  /** Entries of the kernel's map of local addresses, without the node's own. */
  readonly addresses: string[];
  readonly queued: string[];
}

/** A node of a lab, as a container runtime works with it. */
export class CniNode {
  readonly lab: Lab;
  readonly node: NodePlace;

  constructor(lab: Lab) {
    this.lab = lab;
    this.node = lab.node('east', 'n1');
  }

  /** Makes the namespaces and objects of pods; they have no network yet. */
  async makePods(...names: readonly string[]): Promise<PodPlace[]> {
    const pods = names.map((name) => extraPod(this.lab, this.node, name));
    await Promise.all(pods.map((pod) => addNamespace(pod.netns)));
    await applyObjects(this.lab.plan, this.lab.cluster('east'), pods);
    return pods;
  }

  /** Calls the plugin on the node for a pod's eth0. The container's id is its namespace's name. */
  async call(command: string, pod: PodPlace | undefined, { config = {}, env = {} }: CallOptions = {}): Promise<CniOutput> {
    const attachment = pod && {
      CNI_CONTAINERID: pod.netns,
      CNI_NETNS: netnsOf(pod),
      CNI_IFNAME: 'eth0',
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod.name}`,
    };
    const input = typeof config === 'string' ? config : JSON.stringify({ ...NETWORK, ...config });
    const { status, stdout } = await this.run([CNI_PLUGIN], {
      input,
      env: { CNI_COMMAND: command, CNI_PATH: '/opt/cni/bin', ...attachment, ...env },
    });
    return { status, text: stdout, ...(stdout === '' ? {} : JSON.parse(stdout)) };
  }

  /** ADD that must succeed. */
  async add(pod: PodPlace, options?: CallOptions): Promise<CniOutput> {
    const added = await this.call('ADD', pod, options);
    if (added.status !== 0) throw new Error(`ADD of ${pod.name}: ${added.text}`);
    return added;
  }

  run(argv: readonly string[], options: { input?: string; env?: Readonly<Record<string, string>> } = {}): Promise<CommandResult> {
    return this.lab.exec(this.node, argv, options);
  }

  /** What of its pods can be found on the node. */
  async traces(): Promise<Traces> {
    const endpoints = await tableRows<EndpointRow>(this.node, 'endpoints');
    const published = await tableRows(this.node, 'published-ips');
    const own = new Set((await tableRows(this.node, 'host-addresses')).map(({ key }) => key));
    const addresses = (await bpfRows<{ address: string }>(this.node, 'endpoints')).map(({ address }) => address);
    return {
      endpoints: endpoints.map(({ row }) => row.interfaceName).sort(),
      published: published.map(({ key }) => key).sort(),
      addresses: addresses.filter((address) => !own.has(address)).sort(),
      ...this.tracesOnDisk(),
    };
  }

  /** What can be seen of that while no agent runs. */
  tracesOnDisk(): Pick<Traces, 'devices' | 'files' | 'queued'> {
    const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
    return {
      devices: devicesOf(this.node.netns).filter((name) => name.startsWith('isth') && !HOST_DEVICES.includes(name)),
      files: list(join(this.node.run, 'isthmus/state/endpoints')),
      queued: list(join(this.node.run, 'isthmus/delete-queue')).filter((name) => name.endsWith('.json')),
    };
  }

  /** Waits until the node has no more of pods than this. The datapath follows a DEL, it does not precede its end. */
  async settlesAt(expected: Traces): Promise<void> {
    let last: Traces | undefined;
    const same = async (): Promise<boolean> => {
      last = await this.traces();
      return JSON.stringify(last) === JSON.stringify(expected);
    };
    const options = { what: 'what is left of pods', timeoutMs: 10_000 };
    await waitUntil(same, options).catch(() => undefined); // told below, with all that differs
    expect(last).toEqual(expected);
  }

  async stopAgent(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.lab.processes.stop(agentId(this.node), signal);
  }

  async startAgent(): Promise<void> {
    this.startAgentOnly();
    await waitForAgent(this.lab.processes, this.node);
  }

  /** Starts it and does not wait. */
  startAgentOnly(): void {
    const id = agentId(this.node);
    this.lab.processes.start({ id, place: this.node, argv: this.lab.processes.get(id).argv });
  }

  /** Does something while the cluster's etcd says nothing. */
  async whileEtcdSleeps<T>(work: () => Promise<T>): Promise<T> {
    this.lab.processes.signal('east/etcd', 'SIGSTOP');
    try {
      return await work();
    } finally {
      this.lab.processes.signal('east/etcd', 'SIGCONT');
    }
  }

  /** Waits until an ADD has made the pod's devices and waits for its identity. */
  async halfMade(pod: PodPlace): Promise<EndpointRow> {
    const look = async (): Promise<EndpointRow | undefined> =>
      (await tableRows<EndpointRow>(this.node, 'endpoints'))
        .map(({ row }) => row)
        .find((row) => row.containerId === pod.netns && row.identity === 0);
    return waitUntil(look, { what: `half an endpoint of ${pod.name}`, timeoutMs: 4_000, everyMs: 5 });
  }

  async removePods(...pods: readonly PodPlace[]): Promise<void> {
    await Promise.all(pods.map((pod) => this.call('DEL', pod)));
    await Promise.all(pods.filter((pod) => existsSync(netnsOf(pod))).map((pod) => deleteNamespace(pod.netns)));
  }
}

/** The file of a pod's namespace. */
export function netnsOf(pod: PodPlace): string {
  return `/run/netns/${pod.netns}`;
}

/** The IPv4 address that an ADD gave. */
export function ipv4Of({ ips }: CniOutput): string {
  return ips?.[0]?.address.split('/')[0] ?? '';
}

/** `ip` in a namespace. */
export function ip(netns: string, ...argv: readonly string[]): string {
  return execFileSync('ip', ['-n', netns, ...argv], { encoding: 'utf8' });
}

/** Names of a namespace's devices. */
export function devicesOf(netns: string): string[] {
  return (JSON.parse(ip(netns, '-json', 'link')) as { ifname: string }[]).map(({ ifname }) => ifname).sort();
}

/** An error of CNI. */
export function failure(code: number, msg: RegExp): unknown {
  return expect.objectContaining({ status: 1, code, msg: expect.stringMatching(msg), details: expect.stringMatching(/./) });
}

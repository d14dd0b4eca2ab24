import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CNI_PLUGIN, type CommandResult, type PodPlace } from '@isthmus/lab';
import { type CniNode, type CniOutput, netnsOf } from '../e2e/cni/cni-lab.ts';

const SOURCE = fileURLToPath(new URL('cni', import.meta.url));
/** Programs of containernetworking, from its Go modules. */
const PEERS = ['github.com/containernetworking/cni/cnitool', 'github.com/containernetworking/plugins/plugins/meta/tuning'];
/** Where the node keeps configurations and results, as it sees it. */
const INSIDE = '/run/cni';

/** What the library did for one container (test/interop/cni/main.go). */
export interface Outcome {
  readonly result?: Pick<CniOutput, 'cniVersion' | 'interfaces' | 'ips' | 'routes' | 'dns'>;
  /** The result in every version that the library can convert it to. */
  readonly converted?: Readonly<Record<string, object>>;
  /** The library has a result of this container in its cache. */
  readonly cached: boolean;
  /** Results in its cache. */
  readonly attachments: number;
  readonly versions?: readonly string[];
  /** Our error, as the library reads it. */
  readonly error?: { readonly code: number; readonly msg: string; readonly details?: string };
  readonly message?: string;
}

/** What a container runtime does: containernetworking's library, its cnitool and one of its plugins, over the plugin of ours. */
export class CniRuntime {
  readonly #node: CniNode;
  readonly #programs: string;

  private constructor(node: CniNode, programs: string) {
    this.#node = node;
    this.#programs = programs;
  }

  /** Builds the programs. */
  static async build(node: CniNode): Promise<CniRuntime> {
    const programs = await mkdtemp(join(tmpdir(), 'isthmus-interop-cni-'));
    const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
    for (const what of ['.', ...PEERS]) await promisify(execFile)('go', ['build', '-o', `${programs}/`, what], { cwd: SOURCE, env });
    return new CniRuntime(node, programs);
  }

  async remove(): Promise<void> {
    await rm(this.#programs, { recursive: true });
  }

  /** Writes the configuration of a network of this name. */
  configure(name: string, cniVersion: string, ...plugins: readonly object[]): void {
    const folder = join(this.#node.node.run, 'cni/net.d');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${name}.conflist`), JSON.stringify({ cniVersion, name, plugins }));
  }

  /** Has the library do something with a network: for each of the pods at once, or for the network as a whole. */
  async call(op: string, network: string, pods: readonly PodPlace[] = [], more: object = {}): Promise<Outcome[]> {
    const Runtimes = pods.map((pod) => ({ ContainerID: pod.netns, NetNS: netnsOf(pod), IfName: 'eth0', Args: argsOf(pod) }));
    const request = {
      Op: op,
      Folder: `${INSIDE}/net.d`,
      Network: network,
      Plugins: this.#path,
      Cache: `${INSIDE}/cache`,
      Runtimes,
      ...more,
    };
    const { status, stdout, stderr } = await this.#node.run([join(this.#programs, 'cni')], { input: JSON.stringify(request) });
    if (status !== 0) throw new Error(`${op} of ${network}: ${stderr}`);
    return JSON.parse(stdout) as Outcome[];
  }

  /** The same for one pod. */
  async one(op: string, network: string, pod: PodPlace): Promise<Outcome> {
    const [outcome] = await this.call(op, network, [pod]);
    return outcome as Outcome;
  }

  /** `cnitool`, whose cache is always /var/lib/cni: here it is the node's. */
  cnitool(op: string, network: string, pod: PodPlace): Promise<CommandResult> {
    const own = `mkdir -p ${INSIDE}/tool; mount -t tmpfs none /var/lib; mkdir /var/lib/cni; mount --bind ${INSIDE}/tool /var/lib/cni; exec "$@"`;
    const argv = ['unshare', '--mount', 'sh', '-eu', '-c', own, 'sh', join(this.#programs, 'cnitool'), op, network, netnsOf(pod)];
    const args = argsOf(pod)
      .map((pair) => pair.join('='))
      .join(';');
    return this.#node.run(argv, { env: { CNI_PATH: this.#path.join(':'), NETCONFPATH: `${INSIDE}/net.d`, CNI_ARGS: args } });
  }

  /** The library forgets what it knows of a pod, as after a crash of the runtime. */
  async forget(pod: PodPlace): Promise<void> {
    const folder = join(this.#node.node.run, 'cni/cache/results');
    for (const name of existsSync(folder) ? readdirSync(folder) : []) if (name.includes(`-${pod.netns}-`)) await rm(join(folder, name));
  }

  get #path(): string[] {
    return [dirname(CNI_PLUGIN), this.#programs];
  }
}

function argsOf(pod: PodPlace): [string, string][] {
  return [
    ['IgnoreUnknown', '1'],
    ['K8S_POD_NAMESPACE', 'default'],
    ['K8S_POD_NAME', pod.name],
  ];
}

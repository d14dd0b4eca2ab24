import { CodedError, messageOf } from '@isthmus/core';
import { agentSocket, CNI_PLUGIN, extraPod, type Lab, makeExtraPods, type NodePlace, type PodPlace, tryCommand } from '@isthmus/lab';
import { BENCH_CNI } from '../bench.errors.ts';

const NETWORK = JSON.stringify({ cniVersion: '1.1.0', name: 'isthmus', type: 'isthmus-cni' });

/** Calls the plugin as a container runtime does, for pods that are made and scheduled to one node and have no network yet. */
export class CniRuntime {
  readonly #node: NodePlace;
  readonly pods: readonly PodPlace[];

  private constructor(node: NodePlace, pods: readonly PodPlace[]) {
    this.#node = node;
    this.pods = pods;
  }

  /** Makes so many pods on a node: their objects, namespaces and cgroups. They go with the lab. */
  static async make(lab: Lab, node: NodePlace, count: number): Promise<CniRuntime> {
    const pods = Array.from({ length: count }, (_, index) => extraPod(lab, node, `p${index}`));
    await makeExtraPods(lab, pods);
    return new CniRuntime(node, pods);
  }

  /** Adds a pod. Answers the milliseconds from before the plugin is started until after it has ended. @throws CodedError BENCH_CNI */
  async add(pod: PodPlace): Promise<number> {
    const started = performance.now();
    const { status, stdout } = await this.#call('ADD', pod);
    const took = performance.now() - started;
    if (status !== 0 || addresses(stdout).length === 0) throw failed('ADD', pod, stdout);
    return took;
  }

  /** Takes a pod's network away. @throws CodedError BENCH_CNI */
  async remove(pod: PodPlace): Promise<void> {
    const { status, stdout } = await this.#call('DEL', pod);
    if (status !== 0) throw failed('DEL', pod, stdout);
  }

  /** Not from inside the node: entering it would take longer than the call. The plugin needs no more of it than the agent's socket. */
  #call(command: 'ADD' | 'DEL', pod: PodPlace): Promise<{ status: number; stdout: string }> {
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: pod.netns,
      CNI_NETNS: `/run/netns/${pod.netns}`,
      CNI_IFNAME: 'eth0',
      CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod.name}`,
      CNI_PATH: '/',
      ISTHMUS_SOCK: agentSocket(this.#node),
    };
    return tryCommand([CNI_PLUGIN], { input: NETWORK, env });
  }
}

function addresses(stdout: string): unknown[] {
  try {
    return (JSON.parse(stdout) as { ips?: unknown[] }).ips ?? [];
  } catch (error) {
    throw new CodedError(BENCH_CNI, `the answer of the plugin is no JSON: ${messageOf(error)}`, { object: 'isthmus-cni' });
  }
}

function failed(command: string, pod: PodPlace, stdout: string): CodedError {
  return new CodedError(BENCH_CNI, `${command} of ${pod.id} failed: ${stdout.trim()}`, { object: pod.id });
}

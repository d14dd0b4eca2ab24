import { resolve } from 'node:path';
import { bpfRows, type ClusterPlan, clusterFiles, type Lab, type NodePlace, waitUntil } from '@isthmus/lab';
import { ipv4Plus } from './ipv4-plus.ts';

const WITH_NODE = resolve('scripts/with-node');
const PROGRAM = resolve('test/chaos/mass/write-records.ts');
/** In the underlay, above the nodes. */
const HOST_OFFSET = 250;
/** The upper half of the cluster's pod addresses, which the operator gives to nodes last. */
const FIRST_OFFSET = 0x8000;
const TIMEOUT_MS = 60_000;

/** Address records of invented pods of a cluster, with whom nobody talks. */
export class MassRecords {
  readonly count: number;
  readonly #lab: Lab;
  readonly #cluster: ClusterPlan;
  readonly #first: string;

  /** @param count at most 32,768 */
  constructor(lab: Lab, cluster: ClusterPlan, count: number) {
    this.count = count;
    this.#lab = lab;
    this.#cluster = cluster;
    this.#first = ipv4Plus(networkOf(cluster.topology.pods.ipv4), FIRST_OFFSET);
  }

  /** Writes all of them into the cluster's etcd. */
  put(): Promise<void> {
    return this.#run('put');
  }

  /** Removes all of them; absent ones are fine. */
  delete(): Promise<void> {
    return this.#run('delete');
  }

  /** Waits until the kernels of these nodes have exactly so many. */
  async untilInKernels(nodes: readonly NodePlace[], count: number): Promise<void> {
    let seen: number[] = [];
    await waitUntil(
      async () => {
        seen = await Promise.all(nodes.map((node) => this.#inKernelOf(node).catch(() => -1)));
        return seen.every((rows) => rows === count);
      },
      { what: `${count} invented addresses in each kernel`, timeoutMs: TIMEOUT_MS, everyMs: 200, onTimeout: () => seen.join(', ') },
    );
  }

  async #inKernelOf(node: NodePlace): Promise<number> {
    const [a, b, least] = this.#first.split('.').map(Number);
    const rows = await bpfRows<{ prefix: string }>(node, 'ipcache');
    return rows.filter(({ prefix }) => {
      const bytes = prefix.split('.').map((part) => Number.parseInt(part, 10));
      return bytes[0] === a && bytes[1] === b && (bytes[2] ?? 0) >= (least ?? 0);
    }).length;
  }

  async #run(verb: string): Promise<void> {
    const { control, name, id, topology } = this.#cluster;
    const file = `${clusterFiles(this.#cluster).config}/admin.yaml`;
    const host = ipv4Plus(networkOf(topology.underlay.ipv4), HOST_OFFSET);
    const args = [verb, file, name, String(id), host, this.#first, String(this.count)];
    const { status, stderr } = await this.#lab.exec(control, [WITH_NODE, '--conditions=isthmus:source', PROGRAM, ...args]);
    if (status !== 0) throw new Error(`the records cannot be written: ${stderr}`);
  }
}

function networkOf(cidr: string): string {
  return cidr.split('/')[0] ?? '';
}

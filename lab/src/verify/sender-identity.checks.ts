import type { IdentityRow, IpcacheRow } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { NodePlace, PodPlace } from '../topology/plan.ts';
import { hostOf } from '../traffic/ask.ts';
import { bpfRows, tableRows } from './agent-view.ts';
import { type Check, expectThat } from './check.ts';
import { nodeOf, podPairs, RELATIONS, type Relation } from './pairs.ts';
import { problems, reachAll } from './reach.ts';

/** The receiver's agent knows whose the address is that the receiver saw: labels and cluster, in both directions. */
export const senderIdentityChecks: readonly Check[] = RELATIONS.map((relation) => ({
  name: `sender-identity-${relation}`,
  disruptive: false,
  applies: (lab) => podPairs(lab, relation).length > 0,
  async run(lab) {
    const pairs = podPairs(lab, relation);
    const attempts = await reachAll(lab, pairs, 'UDP', (place) => lab.podAddresses(place as PodPlace));
    expectThat(problems(attempts) === '', problems(attempts));
    const wrong: string[] = [];
    const seen = new Set<string>();
    for (const { from, to, saw } of attempts) {
      const labels = await labelsOf(nodeOf(lab, to as PodPlace), hostOf(saw));
      const missing = expectedLabels(from as PodPlace).filter((label) => !labels.includes(label));
      if (missing.length > 0)
        wrong.push(`${to.id} saw ${saw} of ${from.id}: ${missing.join(' ')} is not in ${labels.join(' ') || 'no labels'}`);
      seen.add(labels.join(' '));
    }
    expectThat(wrong.length === 0, wrong.join('; '));
    return `${attempts.length} senders seen, ${seen.size} identities (${summary(lab, relation)})`;
  },
}));

function summary(lab: Lab, relation: Relation): string {
  const pairs = podPairs(lab, relation);
  return [...new Set(pairs.map(({ from, to }) => `${from.cluster} to ${to.cluster}`))].join(', ');
}

function expectedLabels(pod: PodPlace): string[] {
  return [...Object.entries(pod.labels).map(([key, value]) => `k8s:${key}=${value}`), `k8s:io.cilium.k8s.policy.cluster=${pod.cluster}`];
}

/** What a node's agent believes that an address is: the same in its table and in the kernel's map. */
async function labelsOf(node: NodePlace, ip: string): Promise<string[]> {
  const [entry] = await tableRows<IpcacheRow>(node, 'ipcache', ip);
  expectThat(entry !== undefined, `the agent of ${node.id} does not know ${ip}`);
  const { identity } = entry.row;
  const inKernel = (await bpfRows<{ prefix: string; identity: number }>(node, 'ipcache')).find(({ prefix }) => prefix === ip);
  expectThat(
    inKernel?.identity === identity,
    `${node.id}: ${ip} is ${identity} in the table, ${inKernel?.identity ?? 'absent'} in the kernel`,
  );
  for (const table of ['identities', 'remote-identities']) {
    const [row] = await tableRows<IdentityRow>(node, table, String(identity));
    if (row) return row.row.labels.split(';').filter((label) => label !== '');
  }
  return [];
}

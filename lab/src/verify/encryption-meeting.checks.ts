import { connect, disconnect, waitForMesh } from '../control-plane/mesh.ts';
import type { Lab } from '../lab.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import type { Check } from './check.ts';
import { hasEncryption, waitForEpoch } from './encryption-view.ts';
import { allPairFlows, trafficWhile } from './flow-set.ts';
import { expectUnread, raiseEpoch } from './rotation-phase.ts';

/** Of the epochs of clusters that meet: one of this parity, and an even one that is so much ahead. Where they meet is that, or so much more. */
interface Meeting {
  readonly like: string;
  readonly isOdd: boolean;
  readonly ahead: number;
  readonly more: number;
}

const MEETINGS: readonly Meeting[] = [
  { like: '8-and-42', isOdd: false, ahead: 34, more: 1 },
  { like: '7-and-42', isOdd: true, ahead: 35, more: 0 },
];

/** Clusters that have parted, and have changed keys each by itself, are connected again: they meet at one epoch, and lose nothing inside either. */
function meetingCheck({ like, isOdd, ahead, more }: Meeting): Check {
  return {
    name: `clusters-meet-at-epochs-like-${like}`,
    disruptive: true,
    applies: (lab) => hasEncryption(lab) && lab.plan.clusters.length === 2,
    async run(lab) {
      const [one, other] = lab.plan.clusters as [ClusterPlan, ClusterPlan];
      const epoch = await waitForEpoch(lab);
      await disconnect(lab.plan, one, other.name);
      try {
        await Promise.all([one, other].map(({ nodes }) => waitForEpoch(lab, epoch, nodes)));
        const low = (epoch % 2 === 1) === isOdd ? epoch : epoch + 1;
        await bringTo(lab, one, epoch, low);
        await bringTo(lab, other, epoch, low + ahead);
        const together = low + ahead + more;
        const text = await meetUnharmed(lab, one, other, together);
        return `${low} and ${low + ahead} met at ${together}; inside both ${text}`;
      } finally {
        await join(lab, one, other); // does nothing where they are
      }
    },
  };
}

/** Has a cluster go to an epoch: by way of the one before, where its keys are on the device of that epoch. */
async function bringTo(lab: Lab, cluster: ClusterPlan, from: number, to: number): Promise<void> {
  if (from === to) return;
  if (from % 2 === to % 2) await goTo(lab, cluster, to - 1);
  await goTo(lab, cluster, to);
}

async function goTo(lab: Lab, cluster: ClusterPlan, epoch: number): Promise<void> {
  await raiseEpoch(lab, cluster, ['--to', String(epoch)]);
  await waitForEpoch(lab, epoch, cluster.nodes);
}

async function meetUnharmed(lab: Lab, one: ClusterPlan, other: ClusterPlan, epoch: number): Promise<string> {
  const inside = allPairFlows(lab).filter(({ clusters }) => clusters.length === 1);
  const meet = async (): Promise<void> => {
    await join(lab, one, other);
    await waitForEpoch(lab, epoch);
  };
  return expectUnread(await trafficWhile(lab, inside, meet, { sniff: true }));
}

async function join(lab: Lab, one: ClusterPlan, other: ClusterPlan): Promise<void> {
  await connect(lab.plan, one, [other.name]);
  for (const cluster of [one, other]) await waitForMesh(lab.plan, cluster);
}

/** How clusters come together whose keys are of different epochs. */
export const encryptionMeetingChecks: readonly Check[] = MEETINGS.map(meetingCheck);

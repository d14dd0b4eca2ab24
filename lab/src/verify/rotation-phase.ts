import { tryIsthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { SnifferReport } from '../sniff/sniffer.ts';
import type { ClusterPlan } from '../topology/plan.ts';
import type { FlowSpec, TrafficReport } from '../traffic/flow.ts';
import type { StreamSpec } from '../traffic/stream.ts';
import { judgeTraffic } from '../traffic/verdict.ts';
import { expectThat } from './check.ts';
import { waitForEpoch } from './encryption-view.ts';
import { allPairFlows, trafficWhile } from './flow-set.ts';
import { RigOverloaded, repeatVoid } from './void-phase.ts';

const RAISE_TIMEOUT_MS = 20_000;
/** What the command says of a change that comes too soon after another one. */
const TOO_SOON = 'CLI_ROTATION_TOO_SOON';

/** What runs in a phase. */
export interface PhaseTraffic {
  readonly flows: readonly FlowSpec[];
  readonly streams: readonly StreamSpec[];
}

/** One rotation, begun in one of the clusters: it is one of the whole mesh. */
export async function rotate(lab: Lab, turn: number): Promise<void> {
  const { clusters } = lab.plan;
  const cluster = clusters[turn % clusters.length]!;
  const before = await waitForEpoch(lab);
  await raiseEpoch(lab, cluster);
  await waitForEpoch(lab, before + 1);
}

/** Asks for new keys, as a person would on a node of a cluster; again, where it is too soon after the last time. */
export async function raiseEpoch(lab: Lab, cluster: ClusterPlan, flags: readonly string[] = []): Promise<void> {
  const words = ['encrypt', 'rotate', '--context', cluster.name, '--reason', 'the lab checks it', ...flags];
  let said = '';
  const raised = async (): Promise<boolean> => {
    const { status, stderr } = await tryIsthmus(lab.plan, cluster.nodes[0]!, words);
    said = stderr;
    expectThat(status === 0 || stderr.includes(TOO_SOON), stderr);
    return status === 0;
  };
  await waitUntil(raised, { what: 'new keys to be asked for', timeoutMs: RAISE_TIMEOUT_MS, onTimeout: () => said });
}

/**
 * Runs a phase of traffic of which nothing may be lost and nothing may be readable, and again where it is void.
 * @param disturb what goes on meanwhile; answers it in words
 * @param traffic a slow flow between every two pods, unless given
 */
export function unreadWithoutLoss(lab: Lab, disturb: () => Promise<string>, traffic?: PhaseTraffic): Promise<string> {
  return repeatVoid(() => unreadOnce(lab, disturb, traffic ?? { flows: allPairFlows(lab), streams: [] }));
}

async function unreadOnce(lab: Lab, disturb: () => Promise<string>, { flows, streams }: PhaseTraffic): Promise<string> {
  await waitForEpoch(lab);
  let done = '';
  const work = async (): Promise<void> => {
    done = await disturb();
  };
  return `${expectUnread(await trafficWhile(lab, flows, work, { sniff: true, streams }))}; ${done}`;
}

/** What was seen. @throws CheckFailed when a packet was lost or could be read, or was none that may be on a cable; RigOverloaded when this machine may have lost them */
export function expectUnread(report: TrafficReport): string {
  const { sniffer } = report;
  expectThat(sniffer !== undefined && sniffer.packets > 0, 'the sniffers saw nothing at all');
  expectNothingForbidden(sniffer);
  const { verdict, text } = judgeTraffic(report);
  expectThat(verdict !== 'faulty', text);
  if (verdict === 'void') throw new RigOverloaded(text);
  return `${text}; none could be read in ${sniffer.packets} packets on the cables, and none was there that must not be`;
}

/** @throws CheckFailed when something was on a cable that must not be, or the sniffers had no room to say what */
export function expectNothingForbidden({ cables, forbidden, kinds, lost, samples }: SnifferReport): void {
  const read = [...cables].filter(([, packets]) => packets > 0);
  expectThat(read.length === 0, `plain packets of pods: ${read.map(([cable, packets]) => `${packets} on ${cable}`).join(', ')}`);
  expectThat(forbidden === 0, `must not be on any cable: ${kinds.forbidden} frames; ${samples.join('; ')}`);
  expectThat(lost === 0, `the sniffers lost ${lost} events`);
}

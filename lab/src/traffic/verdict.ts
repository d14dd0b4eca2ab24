import type { FlowReport, TrafficReport } from './flow.ts';

/**
 * `clean`: every packet came once, to where it was meant for. `void`: all that is missing may have been dropped by this machine's own full
 * queues, which says nothing about the mesh. `faulty`: anything else.
 */
export type Verdict = 'clean' | 'void' | 'faulty';

/** A verdict, and why in words. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly text: string;
}

/** Judges traffic of which nothing may be lost, come twice, fail to be sent, or come to another place. Order is not judged. */
export function judgeTraffic(report: TrafficReport): Judgement {
  const { flows, rig } = report;
  const lost = sum(flows, (flow) => flow.lost);
  const wrong = sum(flows, (flow) => flow.duplicates + flow.misdelivered + flow.errors) + sum(rig.strays, ({ packets }) => packets);
  if (lost === 0 && wrong === 0) return { verdict: 'clean', text: cleanText(flows) };
  const dropped = ownDrops(report);
  const text = [...flows.filter(isBad).map(flowText), ...rig.strays.map(strayText), ...(dropped > 0 ? [dropText(report)] : [])].join('; ');
  return { verdict: wrong === 0 && lost <= dropped ? 'void' : 'faulty', text };
}

/** Packets that this machine's own queues had no room for, whoever's they were. */
function ownDrops({ flows, rig }: TrafficReport): number {
  const { sockets, tuns } = rig.wireguardDrops;
  return rig.queueDrops + rig.backlogDrops + sockets + tuns + sum(flows, (flow) => flow.queueDrops);
}

function isBad({ lost, duplicates, misdelivered, errors }: FlowReport): boolean {
  return lost + duplicates + misdelivered + errors > 0;
}

function cleanText(flows: readonly FlowReport[]): string {
  const gap = Math.max(0, ...flows.map(({ longestGapMs }) => longestGapMs));
  return `0 of ${sum(flows, ({ sent }) => sent)} packets of ${flows.length} flows lost, longest gap ${gap.toFixed(0)} ms`;
}

function flowText(flow: FlowReport): string {
  const ranges = flow.lostRanges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(' ');
  const strays = flow.misdelivered > 0 ? `, ${flow.misdelivered} misdelivered (${flow.lastStray})` : '';
  const failures = flow.errors > 0 ? `, ${flow.errors} errors (${flow.lastError})` : '';
  const lost = `${flow.lost} of ${flow.sent} lost${flow.lost > 0 ? ` (${ranges})` : ''}`;
  return `${flow.name} (${flow.target}): ${lost}, ${flow.duplicates} twice${strays}${failures}, longest gap ${flow.longestGapMs} ms`;
}

function strayText({ place, packets, last }: { place: string; packets: number; last: string }): string {
  return `${place} got ${packets} packets that were not for it (${last})`;
}

/** What this machine itself dropped, by where. */
export function dropText({ flows, rig }: TrafficReport): string {
  const own = sum(flows, (flow) => flow.queueDrops);
  const { sockets, tuns } = rig.wireguardDrops;
  return (
    `this machine itself dropped ${own} in flows' sockets, ${rig.queueDrops} in servers' sockets, ${rig.backlogDrops} between devices, ` +
    `${sockets} in WireGuard's sockets, ${tuns} in its TUN devices`
  );
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

import type { FlowReport, TrafficReport } from './flow.ts';
import type { StreamReport } from './stream.ts';

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

/**
 * Judges traffic of which nothing may be lost, come twice, fail to be sent, or come to another place. Order is not judged. A stream sends again what a full
 * queue dropped: it must arrive whole, whatever the machine does.
 */
export function judgeTraffic(report: TrafficReport): Judgement {
  const { flows, streams, rig } = report;
  const broken = streams.filter(isBroken);
  const lost = sum(flows, (flow) => flow.lost);
  const wrong =
    sum(flows, (flow) => flow.duplicates + flow.misdelivered + flow.errors) + sum(rig.strays, ({ packets }) => packets) + broken.length;
  if (lost === 0 && wrong === 0) return { verdict: 'clean', text: [cleanText(flows), ...streamsText(streams)].join('; ') };
  const dropped = ownDrops(report);
  const text = [
    ...flows.filter(isBad).map(flowText),
    ...broken.map(brokenText),
    ...rig.strays.map(strayText),
    ...(dropped > 0 ? [dropText(report)] : []),
  ].join('; ');
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

function isBroken({ isWhole, isMeant, error }: StreamReport): boolean {
  return !isWhole || !isMeant || error !== '';
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

function streamsText(streams: readonly StreamReport[]): string[] {
  if (streams.length === 0) return [];
  const bytes = sum(streams, ({ arrived }) => arrived);
  const stall = Math.max(...streams.map(({ longestStallMs }) => longestStallMs));
  const slowest = Math.min(...streams.map(({ kbps }) => kbps)) / 1000;
  const again = sum(streams, ({ retransmits }) => retransmits);
  return [
    `all ${(bytes / 1e6).toFixed(0)} MB of ${streams.length} streams arrived, at ${slowest.toFixed(1)} Mbit/s and more each, longest stall ` +
      `${stall.toFixed(0)} ms, ${again} segments sent again`,
  ];
}

function brokenText({ name, target, sent, arrived, isMeant, error, longestStallMs }: StreamReport): string {
  const where = isMeant || error !== '' ? '' : ', at another place';
  const end = error === '' ? '' : `, ended with ${error}`;
  return `stream ${name} (${target}): ${arrived} of ${sent} bytes arrived${where}${end}, longest stall ${longestStallMs} ms`;
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

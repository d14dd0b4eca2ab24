import { l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import { type FlowReport, type FlowSpec, Flows } from '../traffic/flow.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import { expectThat } from './check.ts';
import { podPairs, podsOfApp, RELATIONS } from './pairs.ts';
import { hasServices, serviceTarget } from './service-view.ts';

/** A flow, and whether both its ends are sure to be in one cluster. */
export interface ScopedFlow extends FlowSpec {
  readonly scope: 'cluster' | 'mesh';
}

/** Flows that between them use every way through the datapath: one of each relation and family, and one through a service per cluster. */
export async function flowSet(lab: Lab): Promise<ScopedFlow[]> {
  const direct = RELATIONS.flatMap((relation) => {
    const pairs = podPairs(lab, relation);
    // The first and the last pair: of different senders, and across clusters of both directions.
    return [pairs.at(0), pairs.at(-1)].flatMap((pair, index): ScopedFlow[] => {
      if (!pair) return [];
      const { ipv4, ipv6 } = lab.podAddresses(pair.to);
      const scope = relation === 'across-clusters' ? 'mesh' : 'cluster';
      return [
        {
          scope,
          name: `${relation} IPv${index === 0 ? 4 : 6}`,
          from: pair.from,
          target: l4Key('UDP', index === 0 ? ipv4 : ipv6, ECHO_PORT),
        },
      ];
    });
  });
  const services = await Promise.all(
    (hasServices(lab, false) ? lab.plan.clusters : []).flatMap((cluster) =>
      podsOfApp(lab, 'client', cluster.name)
        .slice(0, 1)
        .map(async (from) => ({
          scope: 'mesh' as const,
          name: `service in ${cluster.name}`,
          from,
          target: await serviceTarget(cluster, 'web', { protocol: 'UDP', family: 'ipv4' }),
        })),
    ),
  );
  return [...direct, ...services];
}

/**
 * Runs flows while `disturb` does its work, and answers how much was sent.
 * @throws CheckFailed when a single packet was lost
 */
export async function expectNoLoss(lab: Lab, specs: readonly FlowSpec[], disturb: () => Promise<void>): Promise<string> {
  const flows = await Flows.start(lab, specs);
  try {
    await disturb();
    const reports = await flows.end();
    const bad = reports.filter(({ lost, duplicates, errors }) => lost > 0 || duplicates > 0 || errors > 0);
    expectThat(bad.length === 0, bad.map(reportText).join('; '));
    const sent = reports.reduce((sum, report) => sum + report.sent, 0);
    const gap = Math.max(0, ...reports.map(({ longestGapMs }) => longestGapMs));
    return `0 of ${sent} packets of ${reports.length} flows lost, longest gap ${gap.toFixed(0)} ms`;
  } finally {
    flows.kill();
  }
}

function reportText({
  name,
  target,
  sent,
  lost,
  lostRanges,
  duplicates,
  errors,
  lastError,
  longestGapMs,
}: FlowReport & { name: string }): string {
  const ranges = lostRanges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(' ');
  const failures = errors > 0 ? `, ${errors} errors (${lastError})` : '';
  return `${name} (${target}): ${lost} of ${sent} lost${lost > 0 ? ` (${ranges})` : ''}, ${duplicates} twice${failures}, longest gap ${longestGapMs} ms`;
}

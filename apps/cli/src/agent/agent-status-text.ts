import { spanText } from '../output/ago.ts';
import { paint } from '../output/paint.ts';
import { renderTable } from '../output/print-table.ts';
import { problemText } from '../output/problem-text.ts';
import type { AgentStatus } from './agent-answers.ts';

/** An agent's state as people read it: one line each for what is good, what is wrong with its reason. */
export function agentStatusText(status: AgentStatus, colour = false): string {
  return [lines(status, colour), problemsText(status), remotesText(status, colour), failuresText(status)].join('');
}

function lines(status: AgentStatus, colour: boolean): string {
  const ready = status.ready
    ? paint(colour, 'good', 'ready')
    : paint(colour, 'doubtful', `waiting for ${status.waitingFor ?? 'something'}`);
  const rows: [string, string][] = [
    ['node', `${status.cluster}/${status.node} (cluster id ${status.clusterId})`],
    ['agent', `${ready}, up ${spanText(status.uptimeSeconds)}`],
    ['pod CIDRs', status.podCidrs.join(', ') || 'none yet'],
    ...(status.tunnel === undefined ? [] : [['tunnel', tunnelText(status.tunnel)] as [string, string]]),
    ...(status.routing === undefined ? [] : [['routing', routingText(status.routing)] as [string, string]]),
    ...(status.bgp === undefined ? [] : [['BGP', bgpText(status.bgp, colour)] as [string, string]]),
    ...Object.entries(status.connections).map(([name, connection]): [string, string] => [name, connectionText(connection, colour)]),
    ...status.certificates.map((each): [string, string] => [each.name, certificateText(each, colour)]),
    ['endpoints', String(status.tables['endpoints'] ?? 0)],
    ...(status.sinks === undefined ? [] : [['sinks', sinksText(status.sinks, colour)] as [string, string]]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}   ${text}\n`).join('');
}

function tunnelText({ protocol, port, device, xdp }: NonNullable<AgentStatus['tunnel']>): string {
  const way = Object.entries(xdp).map(([name, mode]) => `${mode} XDP on ${name}`);
  return `${protocol}, UDP port ${port}, by ${device === '' ? way.join(', ') : `device ${device}`}`;
}

/** Modes that no node is in are left out. */
function routingText({ mode, nodes }: NonNullable<AgentStatus['routing']>): string {
  const ways = Object.entries(nodes).filter(([, count]) => count > 0);
  const text = ways.map(([way, count]) => `${count} ${way}`).join(', ');
  return `${mode}; other nodes: ${text || 'none'}`;
}

function bgpText(bgp: NonNullable<AgentStatus['bgp']>, colour: boolean): string {
  const { established, sessions, refusedPeers, learnedRoutes, refusedRoutes, draining } = bgp;
  const drainingText = draining ? [paint(colour, 'doubtful', 'draining')] : [];
  if (sessions + refusedPeers === 0) return ['no peers', ...drainingText].join(', ');
  const up = paint(colour, established === sessions ? 'good' : 'doubtful', `${established} of ${sessions} sessions up`);
  return [
    up,
    `${learnedRoutes} learned ${learnedRoutes === 1 ? 'route' : 'routes'}`,
    ...(refusedRoutes > 0 ? [paint(colour, 'doubtful', `${refusedRoutes} refused`)] : []),
    ...(refusedPeers > 0 ? [paint(colour, 'bad', `${refusedPeers} ${refusedPeers === 1 ? 'peer' : 'peers'} refused`)] : []),
    ...drainingText,
  ].join(', ');
}

/** What to do about an etcd that does not answer, or does not let us in, and about certificates that are not renewed. */
function problemsText({ connections, certificates }: AgentStatus): string {
  const unreached = Object.entries(connections).map(([name, { connected, problem }]) => ({
    name,
    problem: connected ? undefined : problem,
  }));
  const problems = [...unreached, ...certificates].flatMap(({ name, problem }) => (problem ? [problemText(name, problem)] : []));
  return problems.length === 0 ? '' : `\n${problems.join('')}`;
}

function certificateText({ secondsLeft, state, problem }: AgentStatus['certificates'][number], colour: boolean): string {
  const text = secondsLeft < 0 ? `expired ${spanText(-secondsLeft)} ago` : `expires in ${spanText(secondsLeft)}`;
  if (state === 'good') return paint(colour, problem ? 'doubtful' : 'good', text);
  return paint(colour, 'bad', text);
}

function connectionText({ connected, error, problem }: AgentStatus['connections'][string], colour: boolean): string {
  if (connected) return paint(colour, 'good', 'connected');
  const why = problem?.code ?? error;
  return paint(colour, 'bad', `not connected${why === undefined ? '' : `: ${why}`}`);
}

function sinksText({ count, behind, failing, failingRows }: NonNullable<AgentStatus['sinks']>, colour: boolean): string {
  if (failing.length > 0) return paint(colour, 'bad', `${count}, of which ${failingRows ?? failing.length} rows fail`);
  return behind.length === 0 ? `${count}, all done` : `${count}, at work: ${behind.join(', ')}`;
}

function remotesText({ remoteClusters }: AgentStatus, colour: boolean): string {
  if (remoteClusters.length === 0) return '';
  const rows = remoteClusters.map((remote) => {
    const kinds = Object.entries(remote.kinds);
    return [
      remote.name,
      String(remote.id),
      { text: remote.state, tone: remote.ready ? 'good' : 'doubtful' } as const,
      remote.heartbeatAgeSeconds === undefined ? '-' : `${spanText(remote.heartbeatAgeSeconds)} ago`,
      kinds.map(([kind, { count, synced }]) => `${count} ${kind}${synced ? '' : ' (not complete)'}`).join(', '),
    ];
  });
  const problems = remoteClusters.flatMap(({ name, problem }) => (problem ? [problemText(name, problem)] : []));
  return `\n${renderTable(['REMOTE', 'ID', 'STATE', 'HEARTBEAT', 'RECORDS'], rows, colour)}${problems.join('')}`;
}

function failuresText({ sinks }: AgentStatus): string {
  if (!sinks || sinks.failing.length === 0) return '';
  return `\n${renderTable(
    ['SINK', 'KEY', 'ERROR'],
    sinks.failing.map(({ sink, key, error }) => [sink, key, errorOf(error)]),
  )}${restText(sinks)}`;
}

function restText({ failing, failingRows = 0 }: NonNullable<AgentStatus['sinks']>): string {
  return failingRows > failing.length ? `and ${failingRows - failing.length} more: isthmus table list sink/<sink>\n` : '';
}

function errorOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : String(error);
}

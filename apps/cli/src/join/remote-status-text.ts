import type { ClusterInfo, RemoteStatus } from '@isthmus/crypto';
import { spanText } from '../output/ago.ts';
import { type Cell, renderTable } from '../output/print-table.ts';
import { problemText } from '../output/problem-text.ts';
import { lifeCell } from './certificates-text.ts';

const HEADINGS = ['CLUSTER', 'ID', 'STATE', 'CONFIG', 'HEARTBEAT', 'SYNCED', 'OURS THERE', 'THEIRS HERE', 'RECORDS'];

/**
 * A cluster's remotes as people read them: a row each, then what is wrong with whom and what to do about it.
 * @param now wall time, milliseconds since 1970
 */
export function remoteStatusText(
  cluster: Pick<ClusterInfo, 'name' | 'id' | 'problems'>,
  remotes: readonly RemoteStatus[],
  now: number,
  colour = false,
) {
  const ready = remotes.filter((remote) => remote.ready).length;
  const head = `cluster ${cluster.name} (id ${cluster.id}): ${ready} of ${remotes.length} remote clusters ready\n${(cluster.problems ?? []).map((problem) => refusalText(cluster.name, problem)).join('')}`;
  if (remotes.length === 0) return head;
  return (
    head +
    renderTable(
      HEADINGS,
      remotes.map((remote) => cells(remote, now)),
      colour,
    ) +
    remotes.map((remote) => problemsText(remote) + droppedText(remote)).join('')
  );
}

function cells(remote: RemoteStatus, now: number): Cell[] {
  return [
    remote.name,
    String(remote.config?.id ?? remote.id ?? '-'),
    { text: remote.state, tone: remote.ready ? 'good' : remote.problem ? 'bad' : 'doubtful' },
    configText(remote),
    remote.heartbeatAgeSeconds === undefined ? '-' : `${spanText(remote.heartbeatAgeSeconds)} ago`,
    syncedText(remote),
    lifeCell(remote.certificateThere, now),
    lifeCell(remote.certificateHere, now),
    recordsText(remote),
  ];
}

/** What the remote says of itself. */
function configText({ config }: RemoteStatus): string {
  if (config === undefined) return '-';
  return `mesh of ${config.maxConnectedClusters}${config.tunnelProtocol ? `, ${config.tunnelProtocol}` : ''}`;
}

/** How many kinds of records are complete, and which are not. */
function syncedText({ synced }: RemoteStatus): string {
  if (synced === undefined) return '-';
  const kinds = Object.entries(synced);
  const missing = kinds.filter(([, done]) => !done).map(([kind]) => kind);
  const count = `${kinds.length - missing.length}/${kinds.length}`;
  return missing.length === 0 ? count : `${count} (not ${missing.join(', ')})`;
}

function recordsText({ counts }: RemoteStatus): string {
  return counts === undefined
    ? '-'
    : Object.entries(counts)
        .map(([kind, count]) => `${count} ${kind}`)
        .join(', ');
}

function problemsText({ name, problem, error, certificateThere, certificateHere }: RemoteStatus): string {
  return [
    problem ? problemText(name, problem) : error === undefined ? '' : `${name}: ${error}\n`,
    certificateThere?.problem ? problemText(`our certificate at ${name}`, certificateThere.problem) : '',
    certificateHere?.problem ? problemText(`certificate of ${name} here`, certificateHere.problem) : '',
  ].join('');
}

/** Names and what was read of a record come from outside: quoted, nothing in them moves the cursor. */
function droppedText({ name, dropped }: RemoteStatus): string {
  const lines = (dropped ?? []).map(({ kind, reason, count, last, detail }) => {
    const why = detail === '' ? '' : ` (${JSON.stringify(detail)})`;
    return `${name}: ${count} times a record of ${kind} was not taken: ${reason}; last ${JSON.stringify(last)}${why}\n`;
  });
  return lines.join('');
}

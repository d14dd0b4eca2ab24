import type { ClusterInfo, RemoteStatus } from '@isthmus/crypto';
import { spanText } from '../output/ago.ts';
import { type Cell, renderTable } from '../output/print-table.ts';

const HEADINGS = ['CLUSTER', 'ID', 'STATE', 'CONFIG', 'HEARTBEAT', 'SYNCED', 'RECORDS'];

/** A cluster's remotes as people read them: a row each, then what is wrong with whom and what to do about it. */
export function remoteStatusText(cluster: Pick<ClusterInfo, 'name' | 'id' | 'problems'>, remotes: readonly RemoteStatus[], colour = false) {
  const ready = remotes.filter((remote) => remote.ready).length;
  const head = `cluster ${cluster.name} (id ${cluster.id}): ${ready} of ${remotes.length} remote clusters ready\n${(cluster.problems ?? []).map((problem) => refusalText(cluster.name, problem)).join('')}`;
  if (remotes.length === 0) return head;
  return (
    head + renderTable(HEADINGS, remotes.map(cells), colour) + remotes.map((remote) => problemText(remote) + droppedText(remote)).join('')
  );
}

function cells(remote: RemoteStatus): Cell[] {
  return [
    remote.name,
    String(remote.config?.id ?? remote.id ?? '-'),
    { text: remote.state, tone: remote.ready ? 'good' : remote.problem ? 'bad' : 'doubtful' },
    configText(remote),
    remote.heartbeatAgeSeconds === undefined ? '-' : `${spanText(remote.heartbeatAgeSeconds)} ago`,
    syncedText(remote),
    recordsText(remote),
  ];
}

/** What the remote says of itself. */
function configText({ config }: RemoteStatus): string {
  return config === undefined ? '-' : `mesh of ${config.maxConnectedClusters}`;
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

function problemText({ name, problem, error }: RemoteStatus): string {
  if (!problem) return error === undefined ? '' : `${name}: ${error}\n`;
  return refusalText(name, problem);
}

function refusalText(name: string, { code, message, cause, action }: NonNullable<RemoteStatus['problem']>): string {
  return `${name}: ${code}: ${message}${cause === undefined ? '' : `: ${cause}`}\n  what to do: ${action}\n`;
}

/** Names and what was read of a record come from outside: quoted, nothing in them moves the cursor. */
function droppedText({ name, dropped }: RemoteStatus): string {
  const lines = (dropped ?? []).map(({ kind, reason, count, last, detail }) => {
    const why = detail === '' ? '' : ` (${JSON.stringify(detail)})`;
    return `${name}: ${count} times a record of ${kind} was not taken: ${reason}; last ${JSON.stringify(last)}${why}\n`;
  });
  return lines.join('');
}

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { etcdctl, etcdctlEnvironment, restoreEtcdData, startEtcd, waitForEtcd } from '../control-plane/etcd.ts';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import { toolPath } from '../toolchain.ts';
import { defineFault, type Fault } from './fault.ts';
import { type LabEtcd, labEtcd } from './lab-etcd.ts';

/** Keys that fill an etcd; nobody reads them. */
const FILLER = 'filler/';
/** Puts a megabyte again and again until etcd says that it is full; any other error is one. */
const FILL = `
  trap 'rm -f "$0" "$0.error"' EXIT
  head -c 1000000 /dev/zero | tr '\\0' x >"$0"
  n=0
  while "$1" put "$2$n" <"$0" >/dev/null 2>"$0.error"; do n=$((n + 1)); done
  grep -q 'space exceeded' "$0.error" || { cat "$0.error" >&2; exit 1; }`;

/** An etcd comes back with nothing in it, users and cluster id included. There is nothing to take back. */
export function wipe(id: string): Fault {
  return defineFault(`wipe ${id}`, (lab) => withData(lab, id, async ({ etcd }) => rmSync(etcd.data, { recursive: true })));
}

/** An etcd comes back as it was when the snapshot was taken ({@link takeSnapshot}). There is nothing to take back. */
export function restore(id: string, snapshot: string): Fault {
  return defineFault(`restore ${id}`, (lab) =>
    withData(lab, id, async ({ cluster, etcd }) => {
      rmSync(etcd.data, { recursive: true });
      await restoreEtcdData(cluster, etcd, snapshot);
    }),
  );
}

/** Saves what an etcd holds, and answers the file. */
export async function takeSnapshot(lab: Lab, id: string): Promise<string> {
  const { cluster, files, etcd } = labEtcd(lab, id);
  const file = join(lab.plan.paths.data, `${cluster.name}-${etcd.name}.snapshot`);
  rmSync(file, { force: true });
  await etcdctl(cluster, files, etcd, ['snapshot', 'save', file]);
  return file;
}

/** An etcd forgets every revision but the last: who watched from an earlier one must list again. There is nothing to take back. */
export function compact(id: string): Fault {
  return defineFault(`compact ${id}`, (lab) => compactNow(labEtcd(lab, id)));
}

/** An etcd is full: it refuses every write. Taken back: the filling is removed, and the alarm too. */
export function quota(id: string): Fault {
  return defineFault(`quota ${id}`, async (lab, undo) => {
    const found = labEtcd(lab, id);
    undo.add(() => makeRoom(found));
    const argv = ['sh', '-euc', FILL, join(lab.plan.paths.data, 'filler'), toolPath('etcdctl'), FILLER];
    await runCommand(enterPlace(found.cluster.control, argv), { env: etcdctlEnvironment(found.files, found.etcd) });
  });
}

async function makeRoom(found: LabEtcd): Promise<void> {
  const { cluster, files, etcd } = found;
  await etcdctl(cluster, files, etcd, ['del', '--prefix', FILLER]);
  await compactNow(found);
  await etcdctl(cluster, files, etcd, ['defrag']);
  await etcdctl(cluster, files, etcd, ['alarm', 'disarm']);
}

async function compactNow({ cluster, files, etcd }: LabEtcd): Promise<void> {
  const answer = JSON.parse(await etcdctl(cluster, files, etcd, ['get', 'nothing', '-w', 'json'])) as { header: { revision: number } };
  await etcdctl(cluster, files, etcd, ['compact', String(answer.header.revision)]);
}

/** Kills an etcd, lets `change` have its data folder, and starts it again. */
async function withData(lab: Lab, id: string, change: (found: LabEtcd) => Promise<void>): Promise<void> {
  const found = labEtcd(lab, id);
  const { cluster, files, etcd } = found;
  await lab.processes.stop(id, 'SIGKILL');
  try {
    await change(found);
  } finally {
    startEtcd(lab.processes, cluster, files, etcd);
  }
  await waitForEtcd(lab.processes, cluster, files, etcd);
}

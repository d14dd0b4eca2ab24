import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, defineError, messageOf } from '@isthmus/core';
import { requireLibbpf } from '@isthmus/datapath';
import { checkClusterId, checkClusterName, type MaxConnectedClusters } from '@isthmus/mesh';
import type { Config } from '@isthmus/model';
import { cgroupRoot } from '../datapath/cgroup.ts';

export const NODE_PRIVILEGE_MISSING = defineError(
  'NODE_PRIVILEGE_MISSING',
  'The agent lacks a right that it cannot do without.',
  'Run it as root, or give it the capabilities that the message names; `isthmus preflight` shows feature by feature what is missing.',
);
export const BPFFS_MISSING = defineError(
  'BPFFS_MISSING',
  'The folder for pinned maps and programs is not on a BPF file system.',
  'Mount one (`mount -t bpf bpf /sys/fs/bpf`) or set `bpf-root` to a folder on one.',
);
export const STATE_DIR_UNUSABLE = defineError(
  'STATE_DIR_UNUSABLE',
  'The folder for what must survive a restart cannot be made or written.',
  'Correct its rights, make room on its disk, or set `state-dir` to another folder.',
);

/** Type of a BPF file system, from magic.h of the kernel. */
const BPF_FS = 0xcafe4a11;
const SYS_ADMIN = 21;

/** Capabilities (numbers from capability.h of the kernel) and what each is for. */
const CAPABILITIES: readonly { readonly bit: number; readonly name: string; readonly purpose: string }[] = [
  { bit: 12, name: 'CAP_NET_ADMIN', purpose: 'devices, routes, the tunnel' },
  { bit: SYS_ADMIN, name: 'CAP_SYS_ADMIN', purpose: 'network namespaces of pods' },
  { bit: 39, name: 'CAP_BPF', purpose: 'programs and maps' },
];

/**
 * Looks whether this user and kernel have what the agent cannot do without, before it touches anything: what fails later would leave half
 * of a datapath.
 * @throws CodedError MESH_CLUSTER_NAME_INVALID, MESH_CLUSTER_ID_INVALID, NODE_PRIVILEGE_MISSING, LIBBPF_MISSING, BPFFS_MISSING, CGROUP2_MISSING, STATE_DIR_UNUSABLE
 */
export function checkNodeRequirements(config: Config): void {
  checkMembership(config);
  checkPrivileges(effectiveCapabilities());
  requireLibbpf();
  checkBpfRoot(config['bpf-root']);
  cgroupRoot(config['cgroup-root']);
  checkStateDir(config['state-dir']);
}

/** Identities, addresses' owners and routes all carry the cluster's number: an agent in a mesh must not run without its own. */
export function checkMembership(config: Pick<Config, 'cluster-name' | 'cluster-id' | 'max-connected-clusters' | 'mesh-etcd-config'>): void {
  if (config['mesh-etcd-config'] === '') return;
  const size = Number(config['max-connected-clusters']) as MaxConnectedClusters;
  const problem = checkClusterName(config['cluster-name']) ?? checkClusterId(config['cluster-id'], size);
  if (problem) throw problem;
}

/** @param held the set of capabilities in effect, a bit each. @throws CodedError NODE_PRIVILEGE_MISSING naming all that are missing */
export function checkPrivileges(held: bigint): void {
  const has = (bit: number): boolean => ((held >> BigInt(bit)) & 1n) === 1n;
  // CAP_SYS_ADMIN stands for CAP_BPF as well, as it did before there was one.
  const lacking = CAPABILITIES.filter(({ bit }) => !has(bit) && !(bit > SYS_ADMIN && has(SYS_ADMIN)));
  if (lacking.length === 0) return;
  const names = lacking.map(({ name, purpose }) => `${name} (${purpose})`).join(', ');
  throw new CodedError(NODE_PRIVILEGE_MISSING, `the agent lacks ${names}`, { object: lacking.map(({ name }) => name).join(',') });
}

function effectiveCapabilities(): bigint {
  const set = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return BigInt(`0x${set ?? '0'}`);
}

/** The folder itself may not be there yet; the one that it will be made in is. */
function checkBpfRoot(folder: string): void {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  if (statfsSync(existing).type === BPF_FS) return;
  throw new CodedError(BPFFS_MISSING, `bpf-root ${folder} is not on a BPF file system`, { object: folder });
}

function checkStateDir(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new CodedError(STATE_DIR_UNUSABLE, `state-dir ${folder} cannot be used: ${messageOf(cause)}`, { object: folder, cause });
  }
}

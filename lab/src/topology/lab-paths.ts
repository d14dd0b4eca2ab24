import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { LAB_NAME } from '../lab.errors.ts';

/** Everything on the machine that carries a lab's name, and nothing else does. */
export interface LabPaths {
  /** Run-time state: process records, node folders, the mount of the BPF file system. */
  readonly state: string;
  /** What may be large: etcd data, certificates, logs. */
  readonly data: string;
  /** Where the lab's own BPF file system is mounted; a folder per node. Unmounting it removes every pin. */
  readonly bpf: string;
  readonly logs: string;
  readonly processes: string;
  /** Says how far the wall clock of the mesh's own processes is off, where the lab has a clock that can be stepped. */
  readonly clock: string;
  /** Folder's name below the root of cgroup2. */
  readonly cgroup: string;
  /** What the names of its network namespaces begin with. */
  readonly netnsPrefix: string;
}

/** Where run-time state of all labs lies. */
export const STATE_ROOT = '/run/isthmus-lab';
/** Where data of all labs lies. */
export const DATA_ROOT = '/var/lib/isthmus-lab';

/**
 * Paths and names of a lab.
 * @throws CodedError LAB_NAME: without dashes in it no lab's name is the beginning of another one's
 */
export function labPaths(name: string): LabPaths {
  if (!/^[a-z][a-z0-9]{0,11}$/.test(name))
    throw new CodedError(LAB_NAME, `a lab cannot be called ${JSON.stringify(name)}`, { object: name });
  const state = join(STATE_ROOT, name);
  const data = join(DATA_ROOT, name);
  return {
    state,
    data,
    bpf: join(state, 'bpf'),
    logs: join(data, 'logs'),
    processes: join(state, 'processes'),
    clock: join(data, 'clock'),
    cgroup: `isthmus-lab-${name}`,
    netnsPrefix: `isthmus-${name}-`,
  };
}

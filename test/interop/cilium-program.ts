import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CiliumKind } from './cilium-records.ts';

const SOURCE = fileURLToPath(new URL('mesh', import.meta.url));

/** A program of Cilium's own code, built from test/interop/mesh. */
export class CiliumProgram {
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'mesh');
  }

  /** Builds it. The first time on a machine that takes minutes: half of Cilium and of the Kubernetes client are compiled. */
  static async build(): Promise<CiliumProgram> {
    const program = new CiliumProgram(await mkdtemp(join(tmpdir(), 'isthmus-interop-')));
    const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
    await promisify(execFile)('go', ['build', '-o', program.path, '.'], { cwd: SOURCE, env });
    return program;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}

/** A value as it stands in etcd, and what Cilium writes after having read it. */
export interface ReadRecord {
  readonly value: string;
  readonly rewritten: string;
}

/** What Cilium's ipcache is told of an address. */
export interface ToldAddress {
  readonly hostIp: string;
  readonly key: number;
  readonly identity: number;
  readonly namespace: string;
  readonly pod: string;
  readonly namedPorts?: Readonly<Record<string, string>>;
}

/** What Cilium's readers made of a cluster (test/interop/mesh/read.go). */
export interface CiliumReport {
  readonly module: string;
  readonly config: unknown;
  readonly heartbeat: string;
  readonly records: Readonly<Record<CiliumKind, Readonly<Record<string, ReadRecord>>>>;
  readonly ipcache: Readonly<Record<string, ToldAddress>>;
  /** Keys that no reader accepted, with their values. */
  readonly refused: Readonly<Record<string, string>>;
  /** What Cilium logged at warning or above. */
  readonly warnings: readonly string[];
}

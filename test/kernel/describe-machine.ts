import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BootOptions, boot, findMachine, type Machine } from './boot.ts';
import { MESH_STEPS } from './guest/mesh-steps.ts';
import { SPECS } from './guest/specs.ts';
import { writeImage } from './image.ts';
import { MachineReport, progress } from './machine-report.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const MINUTE_MS = 60_000;
/** What writing the image takes at most. */
const IMAGE_MS = MINUTE_MS;

/** A kernel that a script has unpacked. */
export interface UnpackedKernel {
  /** `6.1` */
  readonly version: string;
  /** In the repository. */
  readonly folder: string;
}

/** What runs in a machine, and what it reports of. */
interface MachineProgram extends BootOptions {
  readonly about: string;
  readonly files: readonly string[];
  /** It is a lab. */
  readonly mesh: boolean;
  readonly limitMs: number;
}

/** Each spec by itself. */
export const SPECS_IN_MACHINE: MachineProgram = {
  about: 'specs',
  main: 'main',
  files: SPECS,
  mesh: false,
  memoryMb: 1536,
  limitMs: 10 * MINUTE_MS,
};

/** A mesh of whole agents, with the kernel's WireGuard, whose keys change. */
export const MESH_IN_MACHINE: MachineProgram = {
  about: 'a mesh',
  main: 'mesh',
  files: MESH_STEPS,
  mesh: true,
  memoryMb: 4096,
  limitMs: 40 * MINUTE_MS,
};

/** Tests that boot a kernel once and hold what each spec has come to on it. The title names the kernel: it is what `make test` says it ran on. */
export function describeMachine({ version, folder }: UnpackedKernel, program: MachineProgram): void {
  const machine = findMachine(join(repository, '.toolchain/kernel'), join(repository, folder));
  describe(`Linux ${machine.release}`, () => {
    describe(program.about, () => {
      const report = new MachineReport();

      beforeAll(() => run(machine, program, report), program.limitMs + IMAGE_MS);

      it(`is on ${version}`, () => {
        expect(report.kernel).toBe(machine.release);
        expect(report.kernel.startsWith(`${version}.`)).toBe(true);
      });

      it.each(program.files)('%s', (file) => {
        const tests = report.of(file);
        expect(tests.filter(({ error }) => error !== undefined)).toEqual([]);
        expect(tests.length).toBeGreaterThan(0);
      });
    });
  });
}

async function run(machine: Machine, program: MachineProgram, report: MachineReport): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-kernel-'));
  try {
    const image = join(folder, 'initramfs');
    const { megabytes } = writeImage(image, { repository, modules: machine.modules, mesh: program.mesh });
    progress(`an image of ${megabytes} MB is made, booting`);
    await boot(machine, image, program, (said) => report.take(said), AbortSignal.timeout(program.limitMs));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

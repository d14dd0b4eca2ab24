import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boot, findMachine, type Machine } from './boot.ts';
import { SPECS } from './guest/specs.ts';
import { writeImage } from './image.ts';
import { MachineReport, progress } from './machine-report.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const BOOT_TIMEOUT_MS = 600_000;
/** What writing the image takes at most. */
const IMAGE_MS = 60_000;

/** A kernel that a script has unpacked. */
export interface UnpackedKernel {
  /** `6.1` */
  readonly version: string;
  /** In the repository. */
  readonly folder: string;
}

/** Tests that boot a kernel once and hold what each spec has come to on it. The title names the kernel: it is what `make test` says it ran on. */
export function describeMachine({ version, folder }: UnpackedKernel): void {
  const machine = findMachine(join(repository, '.toolchain/kernel'), join(repository, folder));
  describe(`Linux ${machine.release}`, () => {
    const report = new MachineReport();

    beforeAll(
      () => withImage(machine, (image) => boot(machine, image, (said) => report.take(said), AbortSignal.timeout(BOOT_TIMEOUT_MS))),
      BOOT_TIMEOUT_MS + IMAGE_MS,
    );

    it(`is ${version}`, () => {
      expect(report.kernel).toBe(machine.release);
      expect(report.kernel.startsWith(`${version}.`)).toBe(true);
    });

    it.each(SPECS)('%s', (spec) => {
      const tests = report.of(spec);
      expect(tests.filter(({ error }) => error !== undefined)).toEqual([]);
      expect(tests.length).toBeGreaterThan(0);
    });
  });
}

async function withImage({ modules }: Machine, run: (image: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-kernel-'));
  try {
    const image = join(folder, 'initramfs');
    const { megabytes } = writeImage(image, { repository, modules });
    progress(`an image of ${megabytes} MB is made, booting`);
    await run(image);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

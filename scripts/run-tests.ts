/**
 * Runs the test tiers in turn. A tier that this machine cannot run is named at the end with the reason, and so is every single
 * test that skipped itself: nothing is skipped silently. `--all` runs every mode (ISTHMUS_TEST_ALL=1 in the tests' environment);
 * arguments after that choose tiers by name.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

interface Tier {
  readonly name: string;
  /** Why this machine cannot run the tier; undefined when it can. */
  readonly blocked: () => string | undefined;
  /** Scripts that fetch what not every tier needs. Each says why when it cannot, and ends with another status than 0. */
  readonly prepare?: readonly string[];
  /** Tiers that share the kernel's or the machine's attention run one file at a time. */
  readonly serial: boolean;
  /** Left to `--all`, unless it is chosen by name: it needs minutes of preparation on a new machine. */
  readonly onlyAll?: boolean;
}

interface JestResult {
  readonly testResults: readonly { readonly assertionResults: readonly AssertionResult[] }[];
}

interface AssertionResult {
  readonly status: string;
  readonly fullName: string;
  readonly ancestorTitles: readonly string[];
}

interface Outcome {
  readonly tier: string;
  readonly seconds: number;
  readonly state: 'passed' | 'failed' | 'not run';
  readonly reason?: string;
  readonly skipped: readonly string[];
  /** Kernels that it booted. */
  readonly kernels: readonly string[];
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false; // Not in this folder, or not executable: the next one may have it.
    }
  });
}

const needsRoot = (): string | undefined => (process.getuid?.() === 0 ? undefined : 'needs root');
const needsProgram = (program: string) => (): string | undefined =>
  onPath(program) ? undefined : `needs ${program}, which set-up could not provide`;
const needsBuilt = (file: string) => (): string | undefined =>
  existsSync(file) ? undefined : `needs ${file}, which could not be built here`;
const first =
  (...checks: (() => string | undefined)[]) =>
  (): string | undefined => {
    for (const check of checks) {
      const reason = check();
      if (reason !== undefined) return reason;
    }
    return undefined;
  };

/** Fetches what the checked-in go.mod of a folder names; nothing when it is there already. */
const needsGoModules = (folder: string) => (): string | undefined => {
  console.log(`\ntest: Go modules of ${folder}`);
  const { status, stderr } = spawnSync('go', ['mod', 'download'], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  return status === 0 ? undefined : `needs Go modules that cannot be fetched: ${stderr.trim().split('\n').at(-1)}`;
};

const BPF_OBJECT = 'bpf/build/pod.bpf.o';
const TRAFFIC = '.toolchain/lab/isthmus-traffic';
const AGENT = 'apps/agent/dist/main.js';

const canRunLabs = first(needsRoot, needsProgram('etcd'), needsProgram('ip'), needsBuilt(BPF_OBJECT), needsBuilt(AGENT));

const TIERS: readonly Tier[] = [
  { name: 'unit', blocked: () => undefined, serial: false },
  { name: 'etcd', blocked: needsProgram('etcd'), serial: true },
  { name: 'bpf', blocked: first(needsRoot, needsBuilt(BPF_OBJECT)), serial: true },
  { name: 'bgp', blocked: canRunLabs, prepare: ['scripts/setup-bgp'], serial: true },
  { name: 'wireguard', blocked: first(needsRoot, needsProgram('ip')), prepare: ['scripts/setup-wireguard'], serial: true },
  { name: 'e2e', blocked: canRunLabs, serial: true },
  { name: 'chaos', blocked: canRunLabs, serial: true },
  {
    name: 'interop',
    blocked: first(canRunLabs, needsProgram('go'), needsGoModules('test/interop/mesh'), needsGoModules('test/interop/cni')),
    serial: true,
    onlyAll: true,
  },
  {
    name: 'kernel',
    blocked: first(needsProgram('ip'), needsBuilt(BPF_OBJECT), needsBuilt(TRAFFIC)),
    prepare: ['scripts/setup-kernel', 'scripts/setup-wireguard'],
    serial: true,
  },
];

/** Why it could not be prepared; undefined when it is. What the scripts say meanwhile is shown. */
function prepare({ prepare: scripts = [] }: Tier): string | undefined {
  for (const script of scripts) {
    const reason = runScript(script);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function runScript(script: string): string | undefined {
  const { status, stderr } = spawnSync(script, { stdio: ['ignore', 'inherit', 'pipe'], encoding: 'utf8' });
  if (status === 0) return undefined;
  return (
    stderr
      ?.trim()
      .split('\n')
      .at(-1)
      ?.replace(/^setup: /, '') || `${script} ended with ${status}`
  );
}

function testsIn(report: string): readonly AssertionResult[] {
  if (!existsSync(report)) return [];
  return (JSON.parse(readFileSync(report, 'utf8')) as JestResult).testResults.flatMap((file) => file.assertionResults);
}

const isSkipped = ({ status }: AssertionResult): boolean => status === 'pending' || status === 'todo';

/** Tests on a kernel of their own stand under its name. */
function kernelsOf(tests: readonly AssertionResult[]): string[] {
  const titles = tests.filter((test) => !isSkipped(test)).map(({ ancestorTitles: [title = ''] }) => title);
  return [...new Set(titles.filter((title) => title.startsWith('Linux ')))];
}

function runTier(tier: Tier, all: boolean): Outcome {
  const left = tier.onlyAll === true && !all && wanted.length === 0;
  const reason = left ? 'left to make test-all' : (tier.blocked() ?? prepare(tier));
  if (reason !== undefined) return { tier: tier.name, seconds: 0, state: 'not run', reason, skipped: [], kernels: [] };
  console.log(`\ntest: ${tier.name}`);
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-tests-'));
  const report = join(folder, 'report.json');
  const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
  const options = [
    '--selectProjects',
    tier.name,
    '--passWithNoTests',
    '--json',
    '--outputFile',
    report,
    ...(tier.serial ? ['--runInBand'] : []),
  ];
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [...jest, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...(all ? { ISTHMUS_TEST_ALL: '1' } : {}) },
  });
  const tests = testsIn(report);
  rmSync(folder, { recursive: true });
  return {
    tier: tier.name,
    seconds: (performance.now() - started) / 1000,
    state: status === 0 ? 'passed' : 'failed',
    skipped: tests.filter(isSkipped).map(({ fullName }) => fullName),
    kernels: kernelsOf(tests),
  };
}

function printSummary(outcomes: readonly Outcome[]): void {
  console.log('\ntier      seconds  result');
  for (const { tier, seconds, state } of outcomes) console.log(`${tier.padEnd(10)}${seconds.toFixed(1).padStart(7)}  ${state}`);
  for (const { tier, kernels } of outcomes) if (kernels.length > 0) console.log(`ran in ${tier} on: ${kernels.join(', ')}`);
  for (const { tier, skipped } of outcomes) for (const name of skipped) console.log(`skipped by itself in ${tier}: ${name}`);
  for (const { tier, state, reason } of outcomes) if (state === 'not run') console.log(`not run here: ${tier} (${reason})`);
}

const all = process.argv.includes('--all');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const unknown = wanted.filter((name) => !TIERS.some((tier) => tier.name === name));
if (unknown.length > 0) {
  console.error(`run-tests: no such tier: ${unknown.join(', ')} (there are ${TIERS.map((tier) => tier.name).join(', ')})`);
  process.exit(2);
}
const outcomes = TIERS.filter((tier) => wanted.length === 0 || wanted.includes(tier.name)).map((tier) => runTier(tier, all));
printSummary(outcomes);
process.exitCode = outcomes.some((outcome) => outcome.state === 'failed') ? 1 : 0;

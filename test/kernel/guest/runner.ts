import { format } from 'node:util';
import { expect } from 'expect';

/** What of jest the BPF tests use, without the seconds that jest itself would take to start in an emulated machine. */
type Body = (...row: never[]) => unknown;

interface Test {
  readonly name: string;
  readonly body: () => unknown;
}

interface Suite {
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly items: (Suite | Test)[];
  readonly hooks: Record<Hook, (() => unknown)[]>;
}

type Hook = 'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll';

/** Hears of every test: its name with those of the suites around it, and why it failed. */
export type TestWatcher = (name: string, error?: unknown) => void;

let current: Suite;

function newSuite(name: string, parent?: Suite): Suite {
  return { name, parent, items: [], hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] } };
}

function describe(name: string, body: () => void): void {
  const outer = current;
  current = newSuite(name, outer);
  outer.items.push(current);
  body();
  current = outer;
}

function it(name: string, body: () => unknown): void {
  current.items.push({ name, body });
}

/** `describe.each` and `it.each`: `%s` and its like take the row's values, `$name` its fields, `%#` its number. */
function each(declare: (name: string, body: () => never) => void) {
  return (table: readonly unknown[]) =>
    (name: string, body: Body): void =>
      table.forEach((row, index) => {
        const values = Array.isArray(row) ? row : [row];
        const fields = name.replaceAll('%#', String(index)).replaceAll('%i', '%d');
        const named = fields.replace(/\$(\w+)/g, (text, key: string) => String((row as Record<string, unknown>)?.[key] ?? text));
        const used = named.match(/%[sdjo]/g)?.length ?? 0;
        declare(format(named, ...values.slice(0, used)), () => body(...(values as never[])) as never);
      });
}

const hook =
  (kind: Hook) =>
  (body: () => unknown): void =>
    void current.hooks[kind].push(body);

Object.assign(globalThis, {
  describe: Object.assign(describe, { each: each(describe) }),
  it: Object.assign(it, { each: each(it) }),
  beforeAll: hook('beforeAll'),
  beforeEach: hook('beforeEach'),
  afterEach: hook('afterEach'),
  afterAll: hook('afterAll'),
  expect,
});

/** Loads a file of tests and runs them, one after the other. */
export async function runFile(url: string, watch: TestWatcher): Promise<void> {
  const root = newSuite('');
  current = root;
  await import(url);
  await runSuite(root, watch);
}

async function runSuite(suite: Suite, watch: TestWatcher): Promise<void> {
  const failed = await firstError(suite.hooks.beforeAll);
  for (const item of suite.items) {
    if (failed) watch(fullName(item, suite), failed.error);
    else if ('items' in item) await runSuite(item, watch);
    else await runTest(item, suite, watch);
  }
  const left = await firstError([...suite.hooks.afterAll].reverse());
  if (left) watch(`${fullName(suite)} (afterAll)`, left.error);
}

async function runTest(test: Test, suite: Suite, watch: TestWatcher): Promise<void> {
  const suites = ancestors(suite);
  const before = suites.flatMap(({ hooks }) => hooks.beforeEach);
  const after = suites.flatMap(({ hooks }) => hooks.afterEach).reverse();
  const failed = (await firstError([...before, test.body])) ?? (await firstError(after));
  if (failed) await firstError(after);
  watch(fullName(test, suite), failed?.error);
}

/** From the root down. */
function ancestors(suite: Suite | undefined): Suite[] {
  return suite ? [...ancestors(suite.parent), suite] : [];
}

function fullName(item: { readonly name: string }, parent?: Suite): string {
  return [...ancestors(parent).map(({ name }) => name), item.name].filter((name) => name !== '').join(' › ');
}

async function firstError(bodies: readonly (() => unknown)[]): Promise<{ error: unknown } | undefined> {
  for (const body of bodies) {
    try {
      await body();
    } catch (error) {
      return { error };
    }
  }
  return undefined;
}

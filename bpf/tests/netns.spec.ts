import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { closeNetns, NETNS_ENTER, NETNS_MISSING, openNetns, withNetns } from '../../libs/datapath/src/adapters/netns.ts';

const NAMES = ['a', 'b'].map((end) => `isthns-${process.pid}-${end}`);
const [A, B] = NAMES.map((name) => `/run/netns/${name}`) as [string, string];
const here = (): string => readlinkSync('/proc/thread-self/ns/net');
let home: string;

beforeAll(() => {
  for (const name of NAMES) execFileSync('ip', ['netns', 'add', name]);
  home = here();
});
afterAll(() => {
  for (const name of NAMES) execFileSync('ip', ['netns', 'del', name]);
});
afterEach(() => expect(here()).toBe(home));

test('runs inside and comes back, also nested, also by descriptor', () => {
  const fd = openNetns(B);
  const [outer, inner, again] = withNetns(A, () => [here(), withNetns(fd, here), here()] as const);
  closeNetns(fd);
  expect(again).toBe(outer);
  expect(new Set([home, outer, inner]).size).toBe(3);
});

test('comes back when the function throws', () => {
  expect(() =>
    withNetns(A, () => {
      throw new Error('inside');
    }),
  ).toThrow('inside');
});

test('refuses what is not synchronous', () => {
  expect(() => withNetns(A, async () => {})).toThrow(TypeError);
});

test('tells a namespace that is gone from a file that is none', () => {
  expect(() => withNetns('/run/netns/isthns-none', here)).toThrow(expect.objectContaining({ code: NETNS_MISSING.code }));
  expect(() => withNetns('/proc/self/status', here)).toThrow(expect.objectContaining({ code: NETNS_ENTER.code }));
  const message = '/proc/self/ns/mnt is no network namespace: it is a namespace of another kind';
  expect(() => openNetns('/proc/self/ns/mnt')).toThrow(expect.objectContaining({ code: NETNS_ENTER.code, message }));
});

/** Descriptors of network namespaces: of others some come and go by themselves, in threads that read files. */
function openNamespaces(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // That of the folder itself.
    }
  });
  return targets.filter((target) => target.startsWith('net:[') || target.includes('/netns/')).length;
}

test('leaks no descriptor', () => {
  withNetns(A, here);
  const before = openNamespaces();
  for (let i = 0; i < 50; i++) withNetns(A, here);
  expect(openNamespaces()).toBe(before);
});

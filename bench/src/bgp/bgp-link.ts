import { runCommand, tryCommand } from '@isthmus/lab';
import { INJECTOR, RECEIVER, SPEAKER } from './speaker/who.ts';

/** Namespaces of the speaker under test and of its two neighbours; one benchmark runs at a time. */
export const NETNS = { speaker: 'isthbench-bgp-s', load: 'isthbench-bgp-l' } as const;

/** Joins the two namespaces by a link. */
export async function createLink(): Promise<void> {
  for (const name of Object.values(NETNS)) await runCommand(['ip', 'netns', 'add', name]);
  await ip(NETNS.speaker, 'link', 'add', 'bgp0', 'type', 'veth', 'peer', 'name', 'bgp0', 'netns', NETNS.load);
  const addresses = [
    [NETNS.speaker, SPEAKER],
    [NETNS.load, INJECTOR],
    [NETNS.load, RECEIVER],
  ] as const;
  for (const [netns, { address }] of addresses) await ip(netns, 'address', 'add', `${address}/16`, 'dev', 'bgp0');
  for (const netns of Object.values(NETNS)) for (const device of ['lo', 'bgp0']) await ip(netns, 'link', 'set', device, 'up');
}

/** Removes the namespaces, also those that an earlier run left. */
export async function removeLink(): Promise<void> {
  for (const name of Object.values(NETNS)) await tryCommand(['ip', 'netns', 'del', name]);
}

async function ip(netns: string, ...words: string[]): Promise<void> {
  await runCommand(['ip', '-n', netns, ...words]);
}

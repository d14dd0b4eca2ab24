import { execFileSync } from 'node:child_process';
import { type BgpTransport, tcpTransport } from '@isthmus/bgp';
import { withNetns } from '@isthmus/datapath';

/** Addresses at the two ends of the link; the daemon's end is the second of each. */
export const OURS = { ipv4: '10.99.0.1', ipv6: 'fd99::1' } as const;
export const THEIRS = { ipv4: '10.99.0.2', ipv6: 'fd99::2' } as const;

/** AS number of our end. */
export const OUR_AS = 65001;

/** Two namespaces with a link in between: ours for the speaker, theirs for another project's daemon. */
export interface TestLink {
  /** The transport of the library, with its sockets in our namespace. */
  readonly transport: BgpTransport;
  /** Path of our namespace. */
  readonly ours: string;
  /** Runs a program in our namespace. @returns what it printed @throws Error when it fails */
  run(...words: string[]): string;
  /** The same in the daemon's namespace. */
  runThere(...words: string[]): string;
  /** Name of the daemon's namespace, for `ip netns exec`. */
  readonly theirs: string;
  /** From now on, or no longer, what either end sends is lost on the way; neither is told. */
  cut(broken: boolean): void;
  /** Makes the link anew, after someone has deleted it. */
  reconnect(): void;
  remove(): void;
}

/** Nobody has it. */
const NOBODY = '02:00:00:00:00:99';

/** Makes the namespaces; their names carry the test's and this process's id. */
export function createLink(label: string): TestLink {
  const names = { ours: `isthbgp-${process.pid}-${label}-a`, theirs: `isthbgp-${process.pid}-${label}-b` };
  for (const name of Object.values(names)) ip('netns', 'add', name);
  const connect = (): void => {
    ip('-n', names.ours, 'link', 'add', 'bgp0', 'type', 'veth', 'peer', 'name', 'bgp0', 'netns', names.theirs);
    addresses(names.ours, OURS);
    addresses(names.theirs, THEIRS);
  };
  connect();
  return {
    reconnect: connect,
    transport: transportIn(`/run/netns/${names.ours}`),
    ours: `/run/netns/${names.ours}`,
    run: (...words) => execFileSync('ip', ['netns', 'exec', names.ours, ...words], { encoding: 'utf8' }),
    runThere: (...words) => execFileSync('ip', ['netns', 'exec', names.theirs, ...words], { encoding: 'utf8' }),
    theirs: names.theirs,
    cut: (broken) => {
      for (const [netns, addresses] of [
        [names.ours, THEIRS],
        [names.theirs, OURS],
      ] as const)
        for (const address of Object.values(addresses))
          if (broken) ip('-n', netns, 'neigh', 'replace', address, 'lladdr', NOBODY, 'dev', 'bgp0', 'nud', 'permanent');
          else ip('-n', netns, 'neigh', 'del', address, 'dev', 'bgp0');
    },
    remove: () => {
      for (const name of Object.values(names)) ip('netns', 'del', name);
    },
  };
}

function addresses(netns: string, { ipv4, ipv6 }: { ipv4: string; ipv6: string }): void {
  ip('-n', netns, 'address', 'add', `${ipv4}/24`, 'dev', 'bgp0');
  ip('-n', netns, 'address', 'add', `${ipv6}/64`, 'dev', 'bgp0', 'nodad');
  for (const device of ['lo', 'bgp0']) ip('-n', netns, 'link', 'set', device, 'up');
}

/** A socket belongs to the namespace that it was made in, and the transport makes it before it first waits. */
function transportIn(path: string): BgpTransport {
  const inside = <T>(fn: () => Promise<T>): Promise<T> => withNetns(path, () => ({ promise: fn() })).promise;
  return {
    connect: (options, signal) => inside(() => tcpTransport.connect(options, signal)),
    listen: (local, peers, onConnection) => inside(() => tcpTransport.listen(local, peers, onConnection)),
  };
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

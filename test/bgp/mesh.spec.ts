import {
  agentId,
  allNodes,
  allPods,
  Lab,
  type NodePlace,
  type PodPlace,
  ping,
  repositoryFile,
  tableRows,
  waitForAgent,
  waitUntil,
} from '@isthmus/lab';
import { isthmus } from '../e2e/errors/error-lab.ts';

// Nodes that have BGP sessions with each other, and no tunnel. The tests build on each other.

const NAME = 'bgpmesh';
const MINUTE_MS = 60_000;
const SETTLED_MS = 20_000;
import.meta.jest.setTimeout(MINUTE_MS);

let lab: Lab;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up('bgp-mesh', { name: NAME });
}, 2 * MINUTE_MS);

afterAll(() => Lab.down(NAME), MINUTE_MS);

interface Peer {
  readonly peer: string;
  readonly state: string;
}

const node = (name: string): NodePlace => lab.node('east', name);
const run = async (place: NodePlace, argv: string[]): Promise<string> => (await lab.exec(place, argv)).stdout;
const sessions = async (name: string): Promise<Peer[]> =>
  JSON.parse((await isthmus(lab, node(name), ['bgp', 'peers', '-o', 'json'])).stdout);
const modes = async (name: string): Promise<string[]> =>
  (await tableRows<{ mode: string }>(node(name), 'peers')).map(({ row }) => row.mode);
const apply = async (file: string): Promise<void> => {
  const done = await isthmus(lab, lab.cluster('east').control, [
    'apply',
    '--context',
    'east',
    '-f',
    repositoryFile(`lab/manifests/bgp-mesh/${file}`),
  ]);
  expect(done.stderr).toBe('');
};

/** Waits until every node has sessions with these, and no others, and all its peers are of a mode. */
async function untilMesh(peers: Record<string, string[]>, mode = 'native'): Promise<void> {
  let seen = '';
  const settled = async (): Promise<boolean> => {
    const all = await Promise.all(Object.keys(peers).map(async (name) => ({ name, has: await sessions(name), modes: await modes(name) })));
    seen = JSON.stringify(all);
    return all.every(({ name, has, modes: found }) => {
      const up = has.filter(({ state }) => state === 'established').map(({ peer }) => peer.replace('nodes/', ''));
      return (
        up.sort().join() === peers[name]!.join() && has.length === up.length && found.length > 0 && found.every((each) => each === mode)
      );
    });
  };
  await waitUntil(settled, { what: 'the mesh', timeoutMs: SETTLED_MS, onTimeout: () => seen });
}

const FULL = { n1: ['n2', 'n3'], n2: ['n1', 'n3'], n3: ['n1', 'n2'] };

/** Whether each pod reaches each other one, and each node each pod, over both families. */
async function reached(): Promise<string[]> {
  const wrong: string[] = [];
  for (const from of [...allPods(lab), ...allNodes(lab)])
    for (const to of allPods(lab))
      for (const address of Object.values(lab.podAddresses(to)))
        if (from.id !== to.id && !(await ping(lab, from, address))) wrong.push(`${from.id} to ${to.id} (${address})`);
  return wrong;
}

/** Where a node sends what is for a pod. */
async function nextHops(from: string, to: PodPlace): Promise<string[]> {
  const { ipv4, ipv6 } = lab.podAddresses(to);
  const ways = await Promise.all([ipv4, ipv6].map((address) => run(node(from), ['ip', 'route', 'get', address])));
  return ways.map((way) => / via (\S+)/.exec(way)?.[1] ?? way);
}

it('lets all pods and nodes reach each other by the routes of each node, both families over one session', async () => {
  await untilMesh(FULL);
  expect(await reached()).toEqual([]);
  const { ipv4, ipv6 } = node('n2').addresses;
  expect(await nextHops('n1', lab.pod('east', 'b1'))).toEqual([ipv4, ipv6]);
});

it('has no tunnel anywhere, nor room for one in a packet', async () => {
  for (const { name } of allNodes(lab)) {
    expect(await run(node(name), ['ip', '-br', 'link', 'show', 'type', 'vxlan'])).toBe('');
    expect((await tableRows<{ mtu: number }>(node(name), 'endpoints')).map(({ row }) => row.mtu)).toEqual([1500]);
  }
});

/** Kills the agent of n2 and starts it again while the pods ping, until it is back. @returns what the pings say of loss */
async function restarted(isBack: () => Promise<unknown>): Promise<string> {
  const { ipv4 } = lab.podAddresses(lab.pod('east', 'b1'));
  const pinging = lab.exec(lab.pod('east', 'a1'), ['ping', '-q', '-i', '0.01', '-c', '800', ipv4]);
  const id = agentId(node('n2'));
  const { argv } = lab.processes.get(id);
  lab.processes.signal(id, 'SIGKILL');
  const isGone = async (): Promise<boolean> => !lab.processes.list().some((process) => process.id === id && process.alive);
  await waitUntil(isGone, { what: 'the end of the agent', timeoutMs: 5_000 });
  lab.processes.start({ id, place: node('n2'), isOurs: true, argv });
  await isBack();
  return (await pinging).stdout;
}

it('loses nothing when an agent is killed and started again', async () => {
  const isReady = async (): Promise<void> => {
    await waitForAgent(lab.processes, node('n2'));
    await untilMesh(FULL);
  };
  expect(await restarted(isReady)).toContain(' 0% packet loss');
});

it('loses nothing when it starts while the etcd is down, and has its sessions by what it kept', async () => {
  const etcd = `${lab.cluster('east').name}/etcd`;
  lab.processes.signal(etcd, 'SIGSTOP');
  try {
    const hasSessions = async (): Promise<boolean> => {
      const { status, stdout } = await isthmus(lab, node('n2'), ['bgp', 'peers', '-o', 'json']);
      return status === 0 && (JSON.parse(stdout) as Peer[]).filter(({ state }) => state === 'established').length === FULL.n2.length;
    };
    const isBack = (): Promise<unknown> => waitUntil(hasSessions, { what: 'the sessions of n2', timeoutMs: SETTLED_MS });
    expect(await restarted(isBack)).toContain(' 0% packet loss');
  } finally {
    lab.processes.signal(etcd, 'SIGCONT');
  }
  await untilMesh(FULL);
  expect(await reached()).toEqual([]);
});

it('needs sessions with the reflector alone, and sends to the others directly all the same', async () => {
  await apply('reflected.yaml');
  await untilMesh({ n1: ['n2', 'n3'], n2: ['n1'], n3: ['n1'] });
  expect(await reached()).toEqual([]);
  const { ipv4, ipv6 } = node('n2').addresses;
  expect(await nextHops('n3', lab.pod('east', 'b1'))).toEqual([ipv4, ipv6]);
});

it('closes nodes that there is no way to, for pods and hosts, instead of sending to the default gateway', async () => {
  await isthmus(lab, lab.cluster('east').control, ['delete', 'ciliumbgpclusterconfig', 'nodes', '--context', 'east']);
  await untilMesh({ n1: [], n2: [], n3: [] }, 'closed');
  const { ipv4 } = lab.podAddresses(lab.pod('east', 'b1'));
  expect(await Promise.all([ping(lab, lab.pod('east', 'a1'), ipv4), ping(lab, node('n1'), ipv4)])).toEqual([false, false]);
  await apply('full.yaml');
  await untilMesh(FULL);
  expect(await reached()).toEqual([]);
});

import { ETCD_PORT, etcdctl, flowSet, tableRows, waitUntil, wipe } from '@isthmus/lab';
import { chaosLab, losesNothing, MINUTE_MS, processIds } from './chaos-lab.ts';

const lab = chaosLab('chaoswipe');
/** Longer than a cluster's agents take to write again what they know, and than it is waited for. */
const HELD_MS = 25_000;

it(
  'a cluster whose own etcd is wiped: its pods reach each other and others, nobody deletes what is known of them, and it is all there again',
  async () => {
    const before = await known();
    expect(Object.values(before).map((keys) => keys.length)).toEqual([2, 8, 2, 8]);
    const accessBefore = await access();
    expect(accessBefore).toEqual({ users: expect.arrayContaining(['agent-n1', 'agent-n2']), refusal: 'permission denied' });
    const processes = processIds(lab());
    // Services are what somebody had applied: they are gone with the etcd.
    const flows = (await flowSet(lab())).filter(({ name }) => !name.startsWith('service'));
    await losesNothing(
      lab(),
      async () => {
        await wipe('east/etcd').inject(lab());
        const until = performance.now() + HELD_MS;
        await waitUntil(async () => performance.now() > until, { what: 'what is held back to be due', timeoutMs: 2 * HELD_MS });
        expect(await known()).toEqual(before);
        // Whoever has a certificate could do anything, until the etcd has its users again.
        expect(await access()).toEqual(accessBefore);
      },
      flows,
    );
    expect(processIds(lab())).toMatchObject({ ...processes, 'east/etcd': expect.any(Number) });
  },
  4 * MINUTE_MS,
);

/** Users of east's etcd, and what it says to one who may only read. */
async function access(): Promise<{ users: string[]; refusal: string }> {
  const etcd = { cluster: lab().cluster('east'), port: ETCD_PORT } as const;
  const list = await etcdctl(lab(), etcd, 'user', 'list');
  const put = await etcdctl(lab(), { ...etcd, user: 'apiserver' }, 'put', 'cilium/forged', '1');
  return {
    users: list
      .split('\n')
      .filter((line) => line !== '')
      .sort(),
    refusal: /permission denied/.exec(put)?.[0] ?? put,
  };
}

/** Nodes and addresses of east, as a node of it and one of the other cluster know them. */
async function known(): Promise<Record<string, string[]>> {
  const [inside, outside] = [lab().node('east', 'n1'), lab().node('west', 'n1')];
  const of = async (node: typeof inside, table: string): Promise<string[]> =>
    (await tableRows<object>(node, table))
      .map(({ key }) => key)
      .filter((key) => key.startsWith('east/'))
      .sort();
  return {
    nodes: await of(inside, 'nodes'),
    addresses: await of(inside, 'ips'),
    'nodes, from outside': await of(outside, 'remote-nodes'),
    'addresses, from outside': await of(outside, 'remote-ips'),
  };
}

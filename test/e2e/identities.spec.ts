import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  agentId,
  bpfRows,
  callCni,
  clusterFiles,
  expectNoLoss,
  extraPod,
  Lab,
  leftovers,
  makeExtraPod,
  type NodePlace,
  type PodPlace,
  parseTopology,
  restore,
  startAgain,
  stop,
  tableRows,
  takeSnapshot,
  waitForProcess,
  waitUntil,
  withFault,
} from '@isthmus/lab';
import { identityKey, ipKey, LABEL_CLUSTER } from '@isthmus/mesh';
import { etcdctl } from '../../lab/src/control-plane/etcd.ts';
import { labEtcd } from '../../lab/src/fault/lab-etcd.ts';
import { startEcho } from '../../lab/src/traffic/echo-server.ts';

// Numbers that pods use, when etcd forgets them, gives them to others, or has none left. A real agent on a real etcd.

const NAME = 'e2eident';
const ETCD = 'east/etcd';
const MINUTE_MS = 60_000;
const WITH_NODE = fileURLToPath(new URL('../../scripts/with-node', import.meta.url));
const REST_ALL = fileURLToPath(new URL('identities/rest-all.ts', import.meta.url));
const VALUES = 'cilium/state/identities/v1/value/';
const RETIRED = 'isthmus/identities/retired/';
const RANGE = { min: 65_536, max: 131_071 };
const TOPOLOGY = parseTopology(
  `
clusters:
  - name: east
    id: 1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/16, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    nodes: [{ name: n1, pods: [a1] }]
`,
  'the topology of the identity tests',
);

import.meta.jest.setTimeout(MINUTE_MS);

interface Endpoint {
  readonly pod: string;
  readonly identity: number;
  readonly labels: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

let lab: Lab;
let node: NodePlace;
let pod: PodPlace;
/** Of etcd, before the pod is attached. */
let before: string;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up(TOPOLOGY, { name: NAME });
  node = lab.node('east', 'n1');
  pod = extraPod(lab, node, 'x1');
  await makeExtraPod(lab, pod);
  before = await takeSnapshot(lab, ETCD);
  expect(await callCni(node, pod, 'ADD')).toMatchObject({ status: 0 });
  startEcho(lab.processes, pod);
}, 2 * MINUTE_MS);

afterAll(async () => {
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
}, MINUTE_MS);

const endpointOf = async (name: string): Promise<Endpoint> =>
  (await tableRows<Endpoint>(node, 'endpoints')).map(({ row }) => row).find((row) => row.pod === name) as Endpoint;

function inEtcd(...args: readonly string[]): Promise<string> {
  const { cluster, files, etcd } = labEtcd(lab, ETCD);
  return etcdctl(cluster, files, etcd, args);
}

async function textAt(key: string): Promise<string> {
  return (await inEtcd('get', key, '--print-value-only')).trimEnd();
}

/** The identity that the mesh is told of an address; undefined when it is told nothing. */
async function publishedIdentity(ip: string): Promise<number | undefined> {
  const text = await textAt(ipKey(ip));
  return text === '' ? undefined : (JSON.parse(text) as { ID: number }).ID;
}

/** Waits until etcd says of the pod's endpoint all that it has to say. */
async function settled(of: Endpoint): Promise<void> {
  const wanted = [of.labels, String(of.identity), of.identity, of.identity];
  const look = async (): Promise<unknown[]> => [
    await textAt(identityKey(of.identity)),
    await textAt(VALUES + of.labels),
    await publishedIdentity(of.ipv4),
    await publishedIdentity(of.ipv6),
  ];
  let last: unknown[] = [];
  await waitUntil(
    async () => {
      last = await look();
      return JSON.stringify(last) === JSON.stringify(wanted);
    },
    { what: `etcd to have ${JSON.stringify(wanted)}`, timeoutMs: 30_000, everyMs: 100, onTimeout: () => JSON.stringify(last) },
  );
}

/** Puts etcd back to before the pod came, does something to it while the agent cannot, and lets the agent find out. */
async function restored(meanwhile: () => Promise<unknown>): Promise<void> {
  const { ipv4, identity } = await endpointOf(pod.name);
  await withFault(lab, stop(agentId(node)), async () => {
    await restore(ETCD, before).inject(lab);
    expect([await textAt(identityKey(identity)), await publishedIdentity(ipv4)]).toEqual(['', undefined]);
    await meanwhile();
  });
}

/** The pod answers a thousand packets a second meanwhile, all of them. */
async function withoutLoss(disturb: () => Promise<void>): Promise<void> {
  const { ipv4 } = await endpointOf(pod.name);
  const flow = { name: 'to the pod', from: lab.pod('east', 'a1'), to: [pod], target: `UDP/${ipv4}:8080` };
  await expectNoLoss(lab, [flow], disturb);
}

describe('an etcd restored from before the pod came', () => {
  it('gets the number in use again, with all that hangs on it', async () => {
    const endpoint = await endpointOf(pod.name);
    await settled(endpoint);
    await withoutLoss(async () => {
      await restored(async () => undefined);
      await settled(endpoint);
    });
    expect(await endpointOf(pod.name)).toEqual(endpoint);
  });

  it('and in which the number stands for others: they keep it, and the pod gets another everywhere', async () => {
    const endpoint = await endpointOf(pod.name);
    const thief = `k8s:app=thief;k8s:${LABEL_CLUSTER}=east;`;
    await withoutLoss(async () => {
      await restored(async () => {
        await inEtcd('put', identityKey(endpoint.identity), thief);
        await inEtcd('put', VALUES + thief, String(endpoint.identity));
      });
      await waitUntil(async () => (await endpointOf(pod.name)).identity !== endpoint.identity, {
        what: 'the pod to have another number',
        timeoutMs: 30_000,
        everyMs: 100,
      });
      await settled({ ...endpoint, identity: (await endpointOf(pod.name)).identity });
    });
    const { identity } = await endpointOf(pod.name);
    expect([await textAt(identityKey(endpoint.identity)), await textAt(VALUES + thief)]).toEqual([thief, String(endpoint.identity)]);
    for (const ip of [endpoint.ipv4, endpoint.ipv6]) {
      expect(await bpfRows(node, 'endpoints')).toContainEqual(expect.objectContaining({ address: ip, identity, state: 'ready' }));
      expect(await bpfRows(node, 'ipcache')).toContainEqual(expect.objectContaining({ prefix: ip, identity }));
    }
  });
});

describe('a cluster without a free number', () => {
  let next: PodPlace;

  beforeAll(async () => {
    next = extraPod(lab, node, 'x2');
    await makeExtraPod(lab, next);
    const { pki, config } = clusterFiles(lab.cluster('east'));
    // What the collector finds unused it removes after a second.
    writeFileSync(join(config, 'operator/identity-gc-interval'), '1');
    await lab.processes.stop('east/operator');
    startAgain(lab, 'east/operator');
    await waitForProcess(lab, 'east/operator');
    const { cert, key } = pki.clients.root;
    const file = join(config, 'root.yaml');
    writeFileSync(file, `endpoints: ["https://127.0.0.1:2379"]\ntrusted-ca-file: ${pki.ca.cert}\ncert-file: ${cert}\nkey-file: ${key}\n`);
    const argv = [WITH_NODE, '--conditions=isthmus:source', REST_ALL, file, String(RANGE.min), String(RANGE.max)];
    expect(await lab.exec('east', argv, { timeoutMs: MINUTE_MS })).toMatchObject({ status: 0 });
  }, 2 * MINUTE_MS);

  const expectExhausted = async (): Promise<void> => {
    const { status, stdout } = await callCni(node, next, 'ADD');
    expect([status, JSON.parse(stdout)]).toEqual([
      1,
      expect.objectContaining({
        code: 100,
        msg: 'IDENTITY_EXHAUSTED: no identity is free in 65536-131071, the range of cluster east',
        details: expect.stringContaining('Use fewer distinct label sets'),
      }),
    ]);
    expect(await endpointOf(next.name)).toBeUndefined();
  };

  it('refuses an ADD, serves on, and takes the pod once the collector has freed a number and its hour is over', async () => {
    await expectExhausted();
    const { identity } = await endpointOf(pod.name);
    expect(await callCni(node, pod, 'DEL')).toMatchObject({ status: 0 });
    await waitUntil(async () => (await textAt(RETIRED + identity)) !== '', { what: 'the collector', timeoutMs: 30_000, everyMs: 100 });
    expect(await textAt(identityKey(identity))).toBe('');
    await expectExhausted();
    const { kvs } = JSON.parse(await inEtcd('get', RETIRED + identity, '-w', 'json')) as { kvs: { lease: number }[] };
    expect(kvs[0]!.lease).toBeGreaterThan(0);
    await inEtcd('del', RETIRED + identity); // as when its lease of an hour ends
    expect(await callCni(node, next, 'ADD')).toMatchObject({ status: 0 });
    expect(await endpointOf(next.name)).toMatchObject({ identity });
    await settled(await endpointOf(next.name));
  });
});

import { Lab, leftovers, type PodPlace, ping } from '@isthmus/lab';
import { CniNode, ip, ipv4Of, TOPOLOGY, type Traces } from '../e2e/cni/cni-lab.ts';
import { CniRuntime, type Outcome } from './cni-runtime.ts';

// Containernetworking's own library, tool and plugins as the judges of ours: their validation, their types of every version, their cache.

const NAME = 'interopcni';
const MINUTE_MS = 60_000;
const VERSIONS = ['0.3.1', '0.4.0', '1.0.0', '1.1.0'];
/** Result types of the library; the first two of the specification hold one address of a family and no interface. */
const CONVERTED = ['0.1.0', '0.2.0', '0.3.0', ...VERSIONS];
const OURS = { type: 'isthmus-cni' };
/** A plugin that changes the interface that ours made. */
const TUNING = { type: 'tuning', sysctl: { 'net.ipv4.conf.IFNAME.arp_filter': '1' } };
const FINE = { cached: false, attachments: 0 };
import.meta.jest.setTimeout(MINUTE_MS);

let lab: Lab;
let node: CniNode;
let runtime: CniRuntime;
let pods: PodPlace[];
let pod: PodPlace;
let before: Traces;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up(TOPOLOGY, { name: NAME });
  node = new CniNode(lab);
  runtime = await CniRuntime.build(node);
  pods = await node.makePods(...Array.from({ length: 8 }, (_, i) => `p${i}`));
  [pod] = pods as [PodPlace];
  before = await node.traces();
}, 10 * MINUTE_MS);

afterEach(() => node.settlesAt(before));

afterAll(async () => {
  await Lab.down(NAME);
  await runtime?.remove();
  expect(leftovers(NAME)).toEqual([]);
}, MINUTE_MS);

const answers = (outcome: Outcome): Promise<boolean> => ping(lab, node.node, ipv4Of(outcome.result as never));
const refused = (code: number, msg: RegExp): unknown =>
  expect.objectContaining({ error: { code, msg: expect.stringMatching(msg), details: expect.stringMatching(/./) } });

describe.each(VERSIONS)('the library at %s', (cniVersion) => {
  beforeAll(() => runtime.configure('isthmus', cniVersion, OURS, TUNING));

  it('finds the configuration valid, and the versions that are spoken', async () => {
    expect(await runtime.call('validate', 'isthmus')).toEqual([{ ...FINE, versions: VERSIONS }]);
  });

  it('adds, checks and deletes, with a plugin of its own behind ours', async () => {
    const added = await runtime.one('add', 'isthmus', pod);
    expect(added).toMatchObject({ cached: true, attachments: 1, result: { cniVersion } });
    expect(Object.keys(added.converted ?? {}).sort()).toEqual(CONVERTED);
    expect(added.result?.interfaces?.[1]).toMatchObject({ name: 'eth0', sandbox: `/run/netns/${pod.netns}` });
    expect(await answers(added)).toBe(true);
    const checked = await runtime.one('check', 'isthmus', pod);
    if (cniVersion === '0.3.1') expect(checked.message).toContain('does not support the CHECK command');
    else expect(checked.message).toBeUndefined();
    expect(await runtime.one('add', 'isthmus', pod)).toEqual(refused(100, /^ENDPOINT_EXISTS: /));
    expect(await answers(added)).toBe(true);
    for (let i = 0; i < 2; i++) expect(await runtime.one('del', 'isthmus', pod)).toEqual(FINE);
  });

  it('hears of what is broken, in its own terms', async () => {
    await runtime.one('add', 'isthmus', pod);
    ip(pod.netns, 'link', 'set', 'eth0', 'down');
    const checked = await runtime.one('check', 'isthmus', pod);
    if (cniVersion !== '0.3.1') expect(checked).toEqual(refused(100, /^ENDPOINT_BROKEN: default\/p0: device eth0 is down/));
    expect(await runtime.one('del', 'isthmus', pod)).toEqual(FINE);
    const nobody = { ...pod, netns: 'nobody' };
    expect(await runtime.one('add', 'isthmus', nobody)).toEqual(refused(3, /^NETNS_MISSING: /));
  });
});

describe('the library at 1.1.0', () => {
  beforeAll(() => {
    runtime.configure('isthmus', '1.1.0', OURS, TUNING);
    runtime.configure('other', '1.1.0', OURS);
  });

  it('adds and deletes many at once', async () => {
    const added = await runtime.call('add', 'isthmus', pods);
    expect(new Set(added.map(({ result }) => ipv4Of(result as never))).size).toBe(pods.length);
    for (const each of added) expect(await answers(each)).toBe(true);
    const deleted = await runtime.call('del', 'isthmus', pods);
    expect(deleted.map(({ message, cached }) => ({ message, cached }))).toEqual(pods.map(() => ({ message: undefined, cached: false })));
  });

  it('asks for the status', async () => {
    expect(await runtime.call('status', 'isthmus')).toEqual([FINE]);
    await node.stopAgent();
    expect(await runtime.call('status', 'isthmus')).toEqual([refused(50, /^CNI_AGENT_UNREACHABLE: /)]);
    expect(await runtime.one('add', 'isthmus', pod)).toEqual(refused(11, /^CNI_AGENT_UNREACHABLE: /));
    expect(await runtime.one('del', 'isthmus', pod)).toEqual(FINE);
    await node.startAgent();
    expect(await runtime.call('status', 'isthmus')).toEqual([FINE]);
  });

  it('collects what it knows to be stale, what it has forgotten, and nothing else', async () => {
    const [kept, stale, forgotten, foreign] = pods as [PodPlace, PodPlace, PodPlace, PodPlace];
    const [keptOutcome, , , foreignOutcome] = [
      ...(await runtime.call('add', 'isthmus', [kept, stale, forgotten])),
      await runtime.one('add', 'other', foreign),
    ] as [Outcome, Outcome, Outcome, Outcome];
    await runtime.forget(forgotten);
    const Valid = [{ containerID: kept.netns, ifname: 'eth0' }];
    expect(await runtime.call('gc', 'isthmus', [], { Valid })).toEqual([{ ...FINE, attachments: 2 }]);
    const left = (await node.traces()).endpoints;
    expect(left).toHaveLength(2);
    for (const each of [keptOutcome, foreignOutcome]) expect(await answers(each)).toBe(true);
    // A runtime that has no container at all says null.
    await runtime.forget(kept);
    expect(await runtime.call('gc', 'isthmus', [], { Valid: null })).toEqual([{ ...FINE, attachments: 1 }]);
    expect(await answers(foreignOutcome)).toBe(true);
    expect(await runtime.one('del', 'other', foreign)).toEqual(FINE);
  });

  it('reads an error of each kind', async () => {
    runtime.configure('ipam', '1.1.0', { ...OURS, ipam: { type: 'host-local' } });
    expect(await runtime.one('add', 'ipam', pod)).toEqual(refused(2, /^CNI_FIELD_UNSUPPORTED: ipam: /));
    expect(await runtime.one('add', 'isthmus', { ...pod, name: 'nobody' })).toEqual(refused(100, /^POD_NOT_FOUND: /));
    expect(await runtime.one('add', 'isthmus', { ...pod, name: 'No_Name' })).toEqual(refused(4, /^CNI_REQUEST_INVALID: CNI_ARGS: /));
  });
});

describe('cnitool', () => {
  beforeAll(() => runtime.configure('isthmus', '1.1.0', OURS, TUNING));

  it('adds, checks, asks for the status and deletes', async () => {
    const added = await runtime.cnitool('add', 'isthmus', pod);
    expect(added).toMatchObject({ status: 0, stderr: '' });
    expect(await ping(lab, node.node, ipv4Of(JSON.parse(added.stdout)))).toBe(true);
    for (const op of ['check', 'status']) expect(await runtime.cnitool(op, 'isthmus', pod)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await runtime.cnitool('add', 'isthmus', pod)).stderr).toMatch(/ENDPOINT_EXISTS: .*; DEL it first/);
    expect(await runtime.cnitool('del', 'isthmus', pod)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('does not say at GC what is valid: what it knows goes by DEL, and nothing that it does not know', async () => {
    await runtime.cnitool('add', 'isthmus', pod);
    const other = await runtime.one('add', 'isthmus', pods[1] as PodPlace);
    expect((await runtime.cnitool('gc', 'isthmus', pod)).stderr).toMatch(
      /CNI_REQUEST_INVALID: cni\.dev\/valid-attachments: GC needs the attachments that stay/,
    );
    expect((await node.traces()).endpoints).toHaveLength(1);
    expect(await answers(other)).toBe(true);
    await runtime.one('del', 'isthmus', pods[1] as PodPlace);
  });
});

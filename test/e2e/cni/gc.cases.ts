import { type PodPlace, ping } from '@isthmus/lab';
import { type CniNode, failure, ipv4Of, type Traces } from './cni-lab.ts';

const DONE = { status: 0, text: '' };

/** GC: takes away exactly what the runtime no longer names, with all that belongs to it. */
export function gcCases(node: () => CniNode): void {
  let pods: PodPlace[];
  let before: Traces;
  const valid = (...kept: readonly PodPlace[]) => ({
    'cni.dev/valid-attachments': kept.map(({ netns }) => ({ containerID: netns, ifname: 'eth0' })),
  });

  beforeAll(async () => {
    pods = await node().makePods('gc0', 'gc1', 'gc2', 'gc3');
    before = await node().traces();
  });
  afterEach(() => node().settlesAt(before));
  afterAll(() => node().removePods(...pods));

  it('keeps what is named and what is of another network; the others go without a trace', async () => {
    const [kept, first, second, foreign] = pods as [PodPlace, PodPlace, PodPlace, PodPlace];
    const addresses = [ipv4Of(await node().add(kept)), ipv4Of(await node().add(foreign, { config: { name: 'other' } }))];
    const rest = await node().traces();
    const stale = [ipv4Of(await node().add(first)), ipv4Of(await node().add(second))];
    expect(await node().call('GC', undefined, { config: valid(kept) })).toEqual(DONE);
    await node().settlesAt(rest);
    for (const address of addresses) expect(await ping(node().lab, node().node, address)).toBe(true);
    // Their addresses are free: whoever comes next gets them when it is their turn.
    const next = await Promise.all([first, second].map((pod) => node().add(pod)));
    expect(next.map(ipv4Of)).not.toEqual(stale.map(() => ''));
    expect(await node().call('GC', undefined, { config: { ...valid(), name: 'other' } })).toEqual(DONE);
    expect(await ping(node().lab, node().node, addresses[0] as string)).toBe(true);
    expect(await node().call('GC', undefined, { config: { 'cni.dev/valid-attachments': null } })).toEqual(DONE);
  });

  it('knows an attachment by container and interface', async () => {
    const [pod] = pods as [PodPlace];
    await node().add(pod);
    const other = { 'cni.dev/valid-attachments': [{ containerID: pod.netns, ifname: 'net1' }] };
    expect(await node().call('GC', undefined, { config: other })).toEqual(DONE);
  });

  it('removes nothing when the list is missing or malformed, in versions that have no GC, and before the agent is there', async () => {
    const [pod] = pods as [PodPlace];
    const address = ipv4Of(await node().add(pod));
    expect(await node().call('GC', undefined)).toEqual(failure(7, /cni\.dev\/valid-attachments/));
    expect(await node().call('GC', undefined, { config: { 'cni.dev/valid-attachments': [{ containerID: 1 }] } })).toEqual(
      failure(7, /valid-attachments/),
    );
    expect(await node().call('GC', undefined, { config: { ...valid(), cniVersion: '1.0.0' } })).toEqual(
      failure(1, /GC exists since 1\.1\.0/),
    );
    await node().stopAgent();
    expect(await node().call('GC', undefined, { config: valid() })).toEqual(failure(11, /^CNI_AGENT_UNREACHABLE: /));
    await node().startAgent();
    expect(await ping(node().lab, node().node, address)).toBe(true);
    await node().call('DEL', pod);
  });
}

import { type PodPlace, ping } from '@isthmus/lab';
import { type CniNode, type CniOutput, failure, ipv4Of, type Traces } from './cni-lab.ts';

/** An agent that is killed while it makes a pod's network: what is half made goes, and the same ADD can be tried again. */
export function crashCases(node: () => CniNode): void {
  let pod: PodPlace;
  let before: Traces;

  beforeAll(async () => {
    [pod] = (await node().makePods('crash')) as [PodPlace];
    before = await node().traces();
  });
  afterEach(async () => {
    await node().call('DEL', pod);
    await node().settlesAt(before);
  });
  afterAll(() => node().removePods(pod));

  /** Kills the agent when the pod has its devices and waits for its identity. */
  const killedHalfWay = (): Promise<CniOutput> =>
    node().whileEtcdSleeps(async () => {
      const call = node().call('ADD', pod);
      await node().halfMade(pod);
      await node().stopAgent('SIGKILL');
      return call;
    });

  it('at the next start nothing is left of it, and the same ADD succeeds without a DEL', async () => {
    expect(await killedHalfWay()).toEqual(failure(11, /^CNI_AGENT_UNREACHABLE: /));
    expect(node().tracesOnDisk()).toMatchObject({ devices: [expect.stringMatching(/^isth/)], files: [expect.stringMatching(/json$/)] });
    await node().startAgent();
    await node().settlesAt(before);
    const added = await node().add(pod);
    expect(await ping(node().lab, node().node, ipv4Of(added))).toBe(true);
  });

  it('a DEL that comes before that start is done, too, and GC finds nothing to do', async () => {
    await killedHalfWay();
    expect(await node().call('DEL', pod)).toEqual({ status: 0, text: '' });
    await node().startAgent();
    await node().settlesAt(before);
    expect(await node().call('GC', undefined, { config: { 'cni.dev/valid-attachments': [] } })).toEqual({ status: 0, text: '' });
  });

  it('what was whole stays as it was, with the same address', async () => {
    const added = await node().add(pod);
    const made = await node().traces();
    await node().stopAgent('SIGKILL');
    await node().startAgent();
    await node().settlesAt(made);
    expect(await node().call('ADD', pod)).toEqual(failure(100, /^ENDPOINT_EXISTS: /));
    expect(await ping(node().lab, node().node, ipv4Of(added))).toBe(true);
  });
}

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deleteNamespace, type PodPlace, ping, waitUntil } from '@isthmus/lab';
import { type CniNode, type CniOutput, devicesOf, failure, ip, ipv4Of, type Traces } from './cni-lab.ts';

const DONE = { status: 0, text: '' };

/** DEL: succeeds whatever is gone already, waits for an agent that is down, and is done once and in order. */
export function deleteCases(node: () => CniNode): void {
  let pods: PodPlace[];
  let pod: PodPlace;
  let before: Traces;

  beforeAll(async () => {
    pods = await node().makePods(...Array.from({ length: 20 }, (_, i) => `del${i}`));
    [pod] = pods as [PodPlace];
    before = await node().traces();
  });
  afterEach(() => node().settlesAt(before));
  afterAll(() => node().removePods(...pods));

  const answers = (added: CniOutput): Promise<boolean> => ping(node().lab, node().node, ipv4Of(added));
  const queueFile = (name: string): string => join(node().node.run, 'isthmus/delete-queue', name);

  it('takes away all, a second time too, and whatever the configuration lacks or has too much of', async () => {
    const added = await node().add(pod);
    expect(await node().call('DEL', pod, { config: { prevResult: JSON.parse(added.text) } })).toEqual(DONE);
    expect(devicesOf(pod.netns)).toEqual(['lo']);
    expect(await node().call('DEL', pod)).toEqual(DONE);
    for (const cniVersion of ['0.3.1', '0.4.0', '1.0.0']) expect(await node().call('DEL', pod, { config: { cniVersion } })).toEqual(DONE);
    expect(await node().call('DEL', pod, { config: { ipam: { type: 'x' }, dns: 1, prevResult: {} } })).toEqual(DONE);
    expect(await node().call('DEL', pod, { env: { CNI_NETNS: '', CNI_ARGS: '', CNI_CONTAINERID: 'never-seen' } })).toEqual(DONE);
  });

  it('when the namespace is gone', async () => {
    const [gone] = (await node().makePods('gone')) as [PodPlace];
    await node().add(gone);
    await deleteNamespace(gone.netns);
    expect(await node().call('DEL', gone)).toEqual(DONE);
  });

  it('when the interface, or the device on the host, is gone', async () => {
    const added = await node().add(pod);
    ip(node().node.netns, 'link', 'delete', added.interfaces![0]!.name);
    expect(await node().call('DEL', pod)).toEqual(DONE);
  });

  it('when etcd does not answer: at once, and what others know of the pod follows', async () => {
    await node().add(pod);
    const started = performance.now();
    expect(await node().whileEtcdSleeps(() => node().call('DEL', pod))).toEqual(DONE);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  describe('while the agent is down', () => {
    it('waits in a queue, and is done at the next start; what is queued twice is one', async () => {
      const added = await node().add(pod);
      await node().stopAgent();
      for (let i = 0; i < 2; i++) expect(await node().call('DEL', pod)).toEqual(DONE);
      expect(node().tracesOnDisk().queued).toEqual([`${pod.netns}:eth0.json`]);
      // Nobody's network suffers meanwhile.
      expect(await answers(added)).toBe(true);
      await node().startAgent();
    });

    it('of something malformed is refused, and not queued', async () => {
      await node().stopAgent();
      expect(await node().call('DEL', pod, { config: '{"cniVersion":"1.1.0","name":tru}' })).toEqual(failure(6, /^CNI_CONFIG_MALFORMED: /));
      expect(await node().call('DEL', pod, { config: { cniVersion: '0.2.0' } })).toEqual(failure(1, /0\.2\.0/));
      expect(node().tracesOnDisk().queued).toEqual([]);
      await node().startAgent();
    });

    it('and then an ADD of the same container: the later one stands', async () => {
      await node().add(pod);
      await node().stopAgent();
      await node().call('DEL', pod);
      node().startAgentOnly();
      // As a runtime does that goes on at once: it tries again until the agent is there.
      const again = await waitUntil(
        async () => {
          const output = await node().call('ADD', pod);
          return output.code === 11 ? undefined : output;
        },
        { what: 'the agent to serve', timeoutMs: 30_000 },
      );
      expect(again).toMatchObject({ status: 0 });
      expect(await answers(again)).toBe(true);
      await waitUntil(() => node().tracesOnDisk().queued.length === 0, { what: 'the queue to be empty', timeoutMs: 10_000 });
      expect(await answers(again)).toBe(true);
      expect(await node().call('CHECK', pod, { config: { prevResult: JSON.parse(again.text) } })).toEqual(DONE);
      await node().call('DEL', pod);
    });

    it('and its file left behind by a plugin that was killed: an ADD before the next start takes it away', async () => {
      await node().add(pod);
      await node().stopAgent();
      await node().call('DEL', pod);
      const kept = join(node().node.run, 'kept.json');
      copyFileSync(queueFile(`${pod.netns}:eth0.json`), kept);
      await node().startAgent();
      await waitUntil(() => node().tracesOnDisk().queued.length === 0, { what: 'the queue to be empty', timeoutMs: 10_000 });
      copyFileSync(kept, queueFile(`${pod.netns}:eth0.json`));
      const added = await node().add(pod);
      expect(node().tracesOnDisk().queued).toEqual([]);
      await node().stopAgent();
      await node().startAgent();
      expect(await answers(added)).toBe(true);
      await node().call('DEL', pod);
    });

    it('of many, with a crash of the agent half way: each is done, and nobody who came later is harmed', async () => {
      for (const each of pods) await node().add(each);
      await node().stopAgent();
      await Promise.all(pods.map((each) => node().call('DEL', each)));
      expect(node().tracesOnDisk().queued).toHaveLength(pods.length);
      node().startAgentOnly();
      const left = (): number => node().tracesOnDisk().queued.length;
      await waitUntil(() => left() < pods.length, { what: 'the first one to be done', timeoutMs: 30_000, everyMs: 1 });
      await node().stopAgent();
      const half = left();
      expect(half).toBeGreaterThan(0);
      await node().startAgent();
      await waitUntil(() => left() === 0, { what: 'the queue to be empty', timeoutMs: 20_000 });
      const log = readFileSync(node().lab.processes.get('east/n1/agent').log, 'utf8')
        .split('\n')
        .filter((line) => line.includes('worked off a DEL'));
      const files = log.slice(-half).map((line) => (JSON.parse(line) as { file: string }).file);
      expect(new Set(files).size).toBe(half);
      const added = await node().add(pod);
      expect(await answers(added)).toBe(true);
      await node().call('DEL', pod);
    });

    it('leaves what it cannot read where it is, says so, and does the rest', async () => {
      await node().add(pod);
      await node().stopAgent();
      await node().call('DEL', pod);
      writeFileSync(queueFile('broken:eth0.json'), '{');
      await node().startAgent();
      await waitUntil(() => node().tracesOnDisk().queued.length === 1, { what: 'the rest to be done', timeoutMs: 10_000 });
      expect(node().tracesOnDisk().queued).toEqual(['broken:eth0.json']);
      expect(readFileSync(node().lab.processes.get('east/n1/agent').log, 'utf8')).toMatch(/broken:eth0\.json.*stays queued/);
      await node().run(['rm', '/run/isthmus/delete-queue/broken:eth0.json']);
    });
  });
}

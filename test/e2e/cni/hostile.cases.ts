import { request } from 'node:http';
import { agentSocket, CNI_PLUGIN, type PodPlace } from '@isthmus/lab';
import fc from 'fast-check';
import { type CniNode, NETWORK, type Traces } from './cni-lab.ts';

const RUNS = process.env['ISTHMUS_TEST_ALL'] ? 2_000 : 200;

/** What the agent's CNI endpoint answers to calls that no plugin makes. */
export function hostileCases(node: () => CniNode): void {
  let pod: PodPlace;
  let before: Traces;

  beforeAll(async () => {
    [pod] = (await node().makePods('hostile')) as [PodPlace];
    before = await node().traces();
  });
  afterAll(() => node().removePods(pod));

  const post = (body: string): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath: agentSocket(node().node), path: '/v1/cni/x', method: 'POST' }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      call.on('error', reject).end(body);
    });

  it('gets an error for each, and the agent goes on, with nothing made', async () => {
    const { pid } = node().lab.processes.get('east/n1/agent');
    const right = {
      command: 'CHECK',
      containerId: pod.netns,
      netns: `/run/netns/${pod.netns}`,
      ifname: 'eth0',
      args: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=hostile',
      path: '',
    };
    const part = (value: unknown): fc.Arbitrary<unknown> => fc.oneof(fc.constant(value), fc.jsonValue());
    const call = fc.record({
      ...Object.fromEntries(Object.entries(right).map(([key, value]) => [key, part(value)])),
      // DEL and GC would be done, and rightly so.
      command: fc.oneof(fc.constantFrom('ADD', 'CHECK', 'STATUS'), fc.jsonValue()),
      // An ADD into a namespace that is not there goes as far as an ADD can.
      netns: part('/run/netns/nobody'),
      config: fc.oneof(
        fc.record({ ...Object.fromEntries(Object.entries(NETWORK).map(([key, value]) => [key, part(value)])), prevResult: fc.jsonValue() }),
        fc.jsonValue(),
      ),
    });
    const text = fc.oneof(
      call.map((each) => JSON.stringify(each)),
      fc.json(),
    );
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        const answer = await post(body);
        if (answer.status === 200) return;
        expect(JSON.parse(answer.text)).toMatchObject({
          cniVersion: expect.any(String),
          code: expect.any(Number),
          msg: expect.stringMatching(/^[A-Z0-9_]+: /),
        });
      }),
      { numRuns: RUNS },
    );
    await node().settlesAt(before);
    expect(node().lab.processes.get('east/n1/agent').pid).toBe(pid);
    expect(node().lab.processes.isAlive('east/n1/agent')).toBe(true);
  });

  it('a user who is not root gets nothing but an error, and queues nothing', async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const env = { CNI_CONTAINERID: 'c', CNI_NETNS: '/run/netns/x', CNI_IFNAME: 'eth0' };
    for (const [command, code] of [
      ['ADD', 100],
      ['DEL', 100],
      ['STATUS', 50],
    ] as const) {
      const { status, stdout } = await node().run([...nobody, CNI_PLUGIN], {
        input: JSON.stringify(NETWORK),
        env: { CNI_COMMAND: command, ...env },
      });
      const error = {
        code,
        msg: expect.stringMatching(/^CNI_AGENT_DENIED: .*Permission denied/),
        details: expect.stringContaining('as root'),
      };
      expect([status, JSON.parse(stdout)]).toEqual([1, expect.objectContaining(error)]);
    }
    expect(node().tracesOnDisk().queued).toEqual([]);
  });

  it('answers what is no JSON, too long, or cut off with an error of its API, and goes on', async () => {
    for (const body of ['{', '', 'x'.repeat(3 << 20)])
      expect((await post(body).catch(() => ({ status: 400 }))).status).toBeGreaterThanOrEqual(400);
    expect(await node().call('STATUS', undefined)).toEqual({ status: 0, text: '' });
  });
}

import { waitUntil } from '@isthmus/lab';
import { type CniNode, type CniOutput, failure } from './cni-lab.ts';

/** STATUS: says whether an ADD would be served, and VERSION what is spoken. The pool that is exhausted is in errors.spec.ts. */
export function statusCases(node: () => CniNode): void {
  const status = (config: object = {}): Promise<CniOutput> => node().call('STATUS', undefined, { config });

  it('says nothing when all is well, and does not exist before 1.1.0', async () => {
    expect(await status()).toEqual({ status: 0, text: '' });
    expect(await status({ cniVersion: '1.0.0' })).toEqual(failure(1, /STATUS exists since 1\.1\.0/));
  });

  it('fails with 50 while the agent is down, and while it starts', async () => {
    await node().stopAgent();
    expect(await status()).toEqual(failure(50, /^CNI_AGENT_UNREACHABLE: /));
    await node().whileEtcdSleeps(async () => {
      node().startAgentOnly();
      const waiting = await waitUntil(
        async () => {
          const output = await status();
          return output.msg?.includes('from etcd') && output;
        },
        { what: 'the agent to wait for etcd', timeoutMs: 20_000 },
      );
      expect(waiting).toEqual(failure(50, /^AGENT_NOT_READY: the agent waits for the .* from etcd/));
    });
    await node().startAgent();
    expect(await status()).toEqual({ status: 0, text: '' });
  });

  it('fails with 50 while etcd is away, since no pod would get an identity', async () => {
    const { processes } = node().lab;
    await processes.stop('east/etcd', 'SIGKILL');
    try {
      const away = await waitUntil(
        async () => {
          const output = await status();
          return output.status !== 0 && output;
        },
        { what: 'the agent to notice', timeoutMs: 30_000 },
      );
      expect(away).toEqual(failure(50, /^AGENT_NOT_READY: the agent waits for the cluster etcd: /));
    } finally {
      const { argv } = processes.get('east/etcd');
      processes.start({ id: 'east/etcd', place: node().lab.cluster('east').control, argv });
    }
    await waitUntil(async () => (await status()).status === 0, { what: 'etcd to be back', timeoutMs: 30_000 });
  });

  it('VERSION lists what is spoken, with and without an agent', async () => {
    const version = { cniVersion: '1.0.0', supportedVersions: ['0.3.1', '0.4.0', '1.0.0', '1.1.0'] };
    expect(await node().call('VERSION', undefined, { config: '{"cniVersion":"1.0.0"}' })).toMatchObject({ status: 0, ...version });
  });
}

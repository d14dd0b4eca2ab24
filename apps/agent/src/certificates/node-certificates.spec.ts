import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, ManualClock, seededRandom } from '@isthmus/core';
import {
  agentProfile,
  type CaKeyPair,
  certificateFacts,
  clientProfile,
  createClusterCa,
  createSuccessorCa,
  enrolNode,
  type JoinApi,
  keyBelongsTo,
  mergeBundles,
  type NodeRequest,
  nodeFiles,
  signRequest,
  writeNodeFiles,
} from '@isthmus/crypto';
import { readEtcdConfig } from '@isthmus/kvstore';
import { nodeCertificateStatuses, nodeCertificates } from './node-certificates.ts';

const HOUR_MS = 3_600_000;

describe('the certificates of a node', () => {
  let dir: string;
  let clock: ManualClock;
  let ca: CaKeyPair;
  let bundle: string;

  const api = (): JoinApi => {
    const sign = (csrPem: string, profile: ReturnType<typeof clientProfile>) =>
      signRequest({ ca, csrPem, profile: { ...profile, validityMs: HOUR_MS }, clock });
    return {
      checkIn: async () => ({ caBundle: bundle }),
      node: async ({ name, csr }: NodeRequest) => ({
        certificate: await sign(csr, agentProfile('west', name)),
        meshCertificate: await sign(csr, clientProfile('local-west')),
        caBundle: bundle,
        clusterEtcd: { endpoints: ['https://192.0.2.1:2379'] },
        meshEtcd: { endpoints: ['https://192.0.2.1:2479'] },
      }),
    } as Partial<JoinApi> as JoinApi;
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'isthmus-node-'));
    clock = new ManualClock();
    ca = await createClusterCa({ cluster: 'west', clock });
    bundle = ca.certPem;
    await writeNodeFiles(dir, await enrolNode(api(), { cluster: 'west', node: 'n1', clock }));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const keeper = async (joinApi = 'west.test:4280', called: string[] = []) => {
    const files = nodeFiles(dir);
    const etcds = { cluster: await readEtcdConfig(files.etcdConfig), mesh: await readEtcdConfig(files.meshEtcdConfig) };
    const connect = (endpoint: string, _: object, { certPem }: { certPem: string }): JoinApi => {
      called.push(`${endpoint} as ${certificateFacts(certPem).cn}`);
      return api();
    };
    const log = createLogger('agent', 'error');
    return nodeCertificates({ cluster: 'west', node: 'n1', etcds, joinApi, clock, random: seededRandom(1), log, connect })!;
  };
  const facts = async (path: string) => certificateFacts(await readFile(path, 'utf8'));

  it('are both renewed for the one key, called with the agent’s, and leave the client files alone', async () => {
    const files = nodeFiles(dir);
    const before = { cert: await facts(files.cert), mesh: await facts(files.meshCert), yaml: await readFile(files.etcdConfig, 'utf8') };
    const called: string[] = [];
    const node = await keeper('west.test:4280', called);
    clock.advance(HOUR_MS * 0.56);
    await node.look();
    expect(node.state.error).toBeUndefined();
    expect(new Set(called)).toEqual(new Set(['https://west.test:4280 as agent-n1']));
    for (const [path, old] of [
      [files.cert, before.cert],
      [files.meshCert, before.mesh],
    ] as const) {
      expect((await facts(path)).serial).not.toBe(old.serial);
      expect((await facts(path)).cn).toBe(old.cn);
      expect(keyBelongsTo(await readFile(path, 'utf8'), await readFile(files.key, 'utf8'))).toBe(true);
    }
    expect(await readFile(files.etcdConfig, 'utf8')).toBe(before.yaml);
    expect(nodeCertificateStatuses(node, clock.wall())).toEqual([
      {
        name: 'agent-n1',
        serial: (await facts(files.cert)).serial,
        issuer: 'isthmus-ca-west',
        notAfter: expect.any(String),
        secondsLeft: 3600,
        state: 'good',
      },
      expect.objectContaining({ name: 'local-west', state: 'good' }),
    ]);
  });

  it('follow a change of the CA', async () => {
    const node = await keeper();
    const former = ca;
    ca = await createSuccessorCa({ cluster: 'west', clock }, former);
    bundle = mergeBundles(ca.certPem, former.certPem);
    await node.look();
    expect(await readFile(nodeFiles(dir).ca, 'utf8')).toBe(bundle);
    expect((await facts(nodeFiles(dir).meshCert)).issuer).toBe(certificateFacts(ca.certPem).cn);
  });

  it('are shown with what stands in the way', async () => {
    const node = await keeper('');
    await node.look();
    clock.advance(HOUR_MS * 2);
    expect(nodeCertificateStatuses(node, clock.wall())[0]).toMatchObject({
      name: 'agent-n1',
      state: 'expired',
      secondsLeft: -3600,
      problem: { code: 'CERTIFICATE_EXPIRED', action: expect.stringContaining('isthmus node enrol') },
    });
  });

  it('are none where etcd asks for none', () => {
    const etcds = { cluster: { endpoints: ['http://127.0.0.1:2379'] }, mesh: undefined };
    const log = createLogger('agent', 'error');
    expect(nodeCertificates({ cluster: 'w', node: 'n', etcds, joinApi: '', clock, random: seededRandom(1), log })).toBeUndefined();
  });
});

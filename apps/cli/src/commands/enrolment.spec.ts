import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import {
  agentProfile,
  CaDirectory,
  certificateFacts,
  clientProfile,
  type NodeRequest,
  type NodeResponse,
  signRequest,
} from '@isthmus/crypto';
import { parseEtcdConfig } from '@isthmus/kvstore';
import { FakeCli } from '../testing/fake-cli.ts';
import { FakeJoinApi } from '../testing/fake-join-api.ts';

const TOKEN = `isth1.${'0'.repeat(16)}.${'s'.repeat(43)}.${'a'.repeat(64)}`;

/** A join API that signs with a CA that "cluster init" made. */
class SigningJoinApi extends FakeJoinApi {
  readonly #ca: CaDirectory;

  constructor(pki: string) {
    super('west', 1);
    this.#ca = new CaDirectory(join(pki, 'ca'));
  }

  override async node({ name, csr: csrPem }: NodeRequest): Promise<NodeResponse> {
    const ca = await this.#ca.signer();
    return {
      certificate: await signRequest({ ca, csrPem, profile: agentProfile('west', name), clock: systemClock }),
      meshCertificate: await signRequest({ ca, csrPem, profile: clientProfile('local-west'), clock: systemClock }),
      caBundle: ca.certPem,
      clusterEtcd: { endpoints: ['https://192.0.2.1:2379'] },
      meshEtcd: { endpoints: ['https://192.0.2.1:2479'] },
    };
  }
}

let dir: string;
let cli: FakeCli;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-cli-'));
  cli = new FakeCli();
  // Certificates are made now, so they must be judged by the same clock.
  cli.clock.stepWall(Date.now() - cli.clock.wall());
});

afterEach(() => rm(dir, { recursive: true, force: true }));

const init = (...more: string[]): Promise<number> =>
  cli.run('cluster', 'init', '--dir', join(dir, 'pki'), '--cluster-name', 'west', '--ips', '192.0.2.1,fd00::1', ...more);

it('lays out the certificates of a cluster, and says how to go on', async () => {
  expect(await init()).toBe(0);
  expect(cli.out).toContain('isthmus context set west --endpoint 192.0.2.1:4280 --ca');
  const etcd = join(dir, 'pki/clients/admin-etcd.yaml');
  expect(parseEtcdConfig(await readFile(etcd, 'utf8'), etcd)).toMatchObject({
    endpoints: ['https://192.0.2.1:2379', 'https://[fd00::1]:2379'],
  });
  const before = await readFile(join(dir, 'pki/ca/ca.crt'), 'utf8');
  expect(await init('-o', 'json')).toBe(0);
  expect(JSON.parse(cli.out)).toMatchObject({ cluster: 'west', ca: { cert: join(dir, 'pki/ca/ca.crt') }, adminEtcd: etcd });
  expect(await readFile(join(dir, 'pki/ca/ca.crt'), 'utf8')).toBe(before);
});

it('refuses names and addresses that cannot be', async () => {
  expect(await cli.run('cluster', 'init', '--dir', dir, '--cluster-name', 'West', '--ips', '192.0.2.1')).toBe(2);
  expect(await cli.run('cluster', 'init', '--dir', dir, '--cluster-name', 'west', '--ips', '192.0.2.300')).toBe(2);
  expect(cli.err).toContain('192.0.2.300 is no address');
});

it('enrols a node with a token, then renews with what it got', async () => {
  await init();
  const api = new SigningJoinApi(join(dir, 'pki'));
  cli.joinApis.set(api.endpoint, api);
  const node = join(dir, 'node');
  const words = ['node', 'enrol', '--endpoint', 'west.test:4280', '--name', 'n1', '--dir', node];
  expect(await cli.run(...words, '--token', TOKEN)).toBe(0);
  expect(cli.out).toContain('--cluster-name west --cluster-id 1 --node-name n1 ');
  expect(cli.out).toContain(`--etcd-config ${node}/etcd-config.yaml --mesh-etcd-config ${node}/mesh-etcd-config.yaml`);
  for (const name of ['agent.key', 'etcd-config.yaml', 'mesh-etcd-config.yaml'])
    expect((await stat(join(node, name))).mode & 0o777).toBe(0o600);
  expect((await stat(node)).mode & 0o777).toBe(0o700);
  const client = parseEtcdConfig(await readFile(join(node, 'mesh-etcd-config.yaml'), 'utf8'), 'mesh');
  expect(client.endpoints).toEqual(['https://192.0.2.1:2479']);
  expect(certificateFacts(await readFile(client.certFile!, 'utf8')).cn).toBe('local-west');
  expect(await readFile(client.keyFile!, 'utf8')).toContain('PRIVATE KEY');

  const first = await readFile(join(node, 'agent.crt'), 'utf8');
  expect(await cli.run(...words, '--renew')).toBe(0);
  expect(cli.joinOptions.at(-1)).toMatchObject({ credential: { certPem: first } });
  expect(await readFile(join(node, 'agent.crt'), 'utf8')).not.toBe(first);
});

it('asks for a token, and writes nothing before it has the certificates', async () => {
  const words = ['node', 'enrol', '--endpoint', 'west.test:4280', '--name', 'n1', '--dir', join(dir, 'node')];
  expect(await cli.run(...words)).toBe(2);
  expect(cli.err).toContain('isthmus node token create n1');
  cli.joinApis.set('https://west.test:4280', Object.assign(new FakeJoinApi('west', 1), { down: true }));
  expect(await cli.run(...words, '--token', TOKEN)).toBe(3);
  await expect(stat(join(dir, 'node'))).rejects.toThrow('ENOENT');
});

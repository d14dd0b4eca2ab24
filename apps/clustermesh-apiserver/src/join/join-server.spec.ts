import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { Agent, get, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { CodedError, systemClock } from '@isthmus/core';
import {
  type ClusterPkiPaths,
  caPin,
  certificateFacts,
  clusterPki,
  clusterPkiPaths,
  connectClusters,
  enrolNode,
  JoinClient,
  type JoinClientOptions,
  keyBelongsTo,
  MemoryTokenStore,
  mergeBundles,
  parseToken,
  requestForKey,
  systemRandomBytes,
  TokenLedger,
} from '@isthmus/crypto';
import { RecordingSigner } from '../certificates/recording-signer.ts';
import { CaSigner } from './adapters/ca-signer.ts';
import { FileRemoteConfigStore } from './adapters/file-remote-config-store.ts';
import { CALLS } from './http/openapi.ts';
import { type JoinServer, startJoinServer } from './join-server.ts';
import { type MemoryCluster, memoryCluster } from './testing/memory-ports.ts';

/** A cluster whose certificates and configuration are real files and whose join API listens on loopback. */
interface Site {
  dir: string;
  pki: ClusterPkiPaths;
  caBundle: string;
  memory: MemoryCluster;
  store: FileRemoteConfigStore;
  server: JoinServer;
  admin: JoinClient;
}

let west: Site;
let east: Site;

let pkiRoot: string;

async function site(name: string, id: number): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), `isthmus-join-${name}-`));
  const pkiDir = join(pkiRoot, name);
  const pki = clusterPkiPaths(pkiDir, name);
  const caBundle = await readFile(pki.ca.cert, 'utf8');
  const memory = await memoryCluster(name, id, systemClock);
  const store = new FileRemoteConfigStore(join(dir, 'clustermesh'));
  const tokens = new TokenLedger({
    store: new MemoryTokenStore(),
    clock: systemClock,
    randomBytes: systemRandomBytes,
    caPin: () => caPin(caBundle),
  });
  const signer = new RecordingSigner(new CaSigner(join(pkiDir, 'ca'), systemClock), memory.ports.ledger);
  const listen = { host: '127.0.0.1', port: 0, certPath: pki.joinApi.cert, keyPath: pki.joinApi.key };
  const server = await startJoinServer(listen, { ...memory.ports, remotes: store, tokens, signer });
  const credential = { certPem: await readFile(pki.clients.admin.cert, 'utf8'), keyPem: await readFile(pki.clients.admin.key, 'utf8') };
  const admin = new JoinClient({ endpoint: server.url, trust: { caBundle }, credential });
  return { dir, pki, caBundle, memory, store, server, admin };
}

function clientOf(at: Site, credential: JoinClientOptions['credential'], trust: JoinClientOptions['trust'] = at): JoinClient {
  return new JoinClient({ endpoint: at.server.url, trust, credential });
}

beforeAll(async () => {
  pkiRoot = await mkdtemp(join(tmpdir(), 'isthmus-join-pki-'));
  for (const cluster of ['west', 'east']) await clusterPki(join(pkiRoot, cluster), { cluster, controlPlaneIps: ['127.0.0.1'] });
});

afterAll(async () => {
  await rm(pkiRoot, { recursive: true, force: true });
});

beforeEach(async () => {
  west = await site('west', 1);
  east = await site('east', 2);
});

afterEach(async () => {
  for (const at of [west, east]) {
    await at.server.close();
    await rm(at.dir, { recursive: true, force: true });
  }
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

interface Raw {
  status: number;
  body: { code?: string; object?: string; message?: string; action?: string } & Record<string, unknown>;
}

function raw(at: Site, method: string, path: string, options: { body?: string; headers?: Record<string, string> } = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const headers = { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers };
    const sent = request(new URL(path, at.server.url), { method, ca: at.caBundle, agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on('error', reject).end(options.body);
  });
}

describe('the join API over HTTPS', () => {
  it('joins two clusters by admin certificate, and parts them', async () => {
    expect(await connectClusters(west.admin, east.admin)).toEqual({ first: 'west', second: 'east', isNew: true });
    expect(await readdir(join(west.dir, 'clustermesh'))).toEqual([
      'east',
      'east.etcd-client-ca.crt',
      'east.etcd-client.crt',
      'east.etcd-client.key',
      'east.peer.json',
    ]);
    const shown = certificateFacts(await readFile(join(west.dir, 'clustermesh/east.etcd-client.crt'), 'utf8'));
    expect(shown).toMatchObject({ cn: 'remote-west', issuer: 'isthmus-ca-east' });
    expect((await east.admin.cluster()).clusters).toEqual([{ name: 'west', id: 1, podCIDRs: west.memory.facts.podCIDRs }]);
    expect(await connectClusters(west.admin, east.admin)).toMatchObject({ isNew: false });

    expect(await west.admin.disconnect('east')).toEqual({ name: 'east', connected: false });
    expect(await readdir(join(west.dir, 'clustermesh'))).toEqual([]);
    expect(await codeOf(west.admin.disconnect('east'))).toBe('JOIN_NOT_CONNECTED');
  });

  it('joins with a token on one side, believing only its pin', async () => {
    const { token } = await east.admin.createToken({ kind: 'cluster' });
    const withToken = clientOf(east, { token }, { pin: parseToken(token).caPin });
    await connectClusters(west.admin, withToken);
    expect((await east.store.list()).map((r) => r.name)).toEqual(['west']);
    expect(await codeOf(clientOf(east, { token }).offer('north'))).toBe('TOKEN_USED');
  });

  it('takes the first cluster back when the last call fails', async () => {
    east.admin.complete = () => Promise.reject(new Error('cut off'));
    await expect(connectClusters(west.admin, east.admin)).rejects.toThrow('cut off');
    expect([await west.store.list(), await east.store.list()]).toEqual([[], []]);
  });

  it('does not send a credential to a server with another CA', async () => {
    const { token } = await east.admin.createToken({ kind: 'cluster' });
    const wrongPin = clientOf(west, { token }, { pin: parseToken(token).caPin });
    expect(await codeOf(wrongPin.cluster())).toBe('CA_PIN_MISMATCH');
    expect(await codeOf(clientOf(west, { token }, east).cluster())).toBe('JOIN_API_UNTRUSTED');
    const nobody = new JoinClient({ endpoint: 'https://127.0.0.1:1', trust: west, credential: { token } });
    expect(await codeOf(nobody.cluster())).toBe('JOIN_API_UNREACHABLE');
  });

  it('refuses a cluster with overlapping pod networks, naming both', async () => {
    east.memory.facts.podCIDRs = ['10.1.128.0/17'];
    await expect(connectClusters(west.admin, east.admin)).rejects.toMatchObject({
      code: 'JOIN_POD_CIDRS_OVERLAP',
      message: 'pod network 10.1.128.0/17 of east overlaps 10.1.0.0/16 of west',
      action: expect.stringContaining('disjoint'),
    });
  });
});

describe('remote clusters', () => {
  it('check in and renew with what they were given, until it is withdrawn, and may do nothing else', async () => {
    await connectClusters(west.admin, east.admin);
    const files = west.store.credential('east');
    const asWest = async (): Promise<JoinClient> => {
      const { certificates, keyPem } = await files.read();
      return clientOf(east, { certPem: certificates[0]!, keyPem });
    };
    const trusts = [caPin(east.caBundle)];
    expect(await (await asWest()).checkIn({ name: 'west', trusts })).toEqual({ caBundle: east.caBundle });
    expect(east.memory.ports.checkIns.last('remote', 'west')).toMatchObject({ trusts, certificate: { cn: 'remote-west' } });
    const { keyPem } = await files.read();
    const { certificate } = await (await asWest()).renew('west', requestForKey(keyPem, { commonName: 'x' }));
    expect(keyBelongsTo(certificate, keyPem)).toBe(true);
    await files.writeCertificates([certificate]);
    await (await asWest()).checkIn({ name: 'west', trusts });

    const client = await asWest();
    for (const forbidden of [client.cluster(), client.remotes(), client.offer('north'), client.disconnect('west'), client.retireCa(true)])
      expect(await codeOf(forbidden)).toBe('JOIN_FORBIDDEN');
    expect(await codeOf(client.checkIn({ name: 'north', trusts }))).toBe('CERTIFICATE_NAME');
    expect(await codeOf(east.admin.checkIn({ name: 'west', trusts }))).toBe('JOIN_FORBIDDEN');

    expect(await east.admin.revoke('west')).toEqual({ name: 'west', certificates: 2, connectionsEnded: 3 });
    await expect(client.checkIn({ name: 'west', trusts })).rejects.toMatchObject({
      code: 'CERTIFICATE_REVOKED',
      object: 'remote-west',
      message: expect.stringMatching(/^east revoked remote-west \(serial [0-9a-f]+\) at 20/),
    });
    expect(await connectClusters(west.admin, east.admin)).toMatchObject({ isNew: false });
    await (await asWest()).checkIn({ name: 'west', trusts });
    await east.admin.disconnect('west');
    expect(await codeOf((await asWest()).checkIn({ name: 'west', trusts }))).toBe('CERTIFICATE_REVOKED');
  });

  it('take another bundle over into all of their files, but leave none when they were disconnected', async () => {
    await connectClusters(west.admin, east.admin);
    const files = west.store.credential('east');
    const both = mergeBundles(east.caBundle, west.caBundle);
    await files.writeBundle(both);
    expect((await files.read()).caBundle).toBe(both);
    expect((await west.store.list())[0]?.caBundle).toBe(both);
    await west.admin.disconnect('east');
    await files.writeBundle(both);
    await files.writeCertificates(['x']);
    expect(await readdir(join(west.dir, 'clustermesh'))).toEqual([]);
  });
});

describe('nodes', () => {
  it('get certificates by token, renew them by certificate, and may do nothing else', async () => {
    const { token } = await west.admin.createToken({ kind: 'node', subject: 'n1' });
    const withToken = clientOf(west, { token }, { pin: parseToken(token).caPin });
    const first = await enrolNode(withToken, { cluster: 'west', node: 'n1', clock: systemClock });
    expect([...west.memory.users.names]).toEqual(['agent-n1']);
    expect(await codeOf(enrolNode(withToken, { cluster: 'west', node: 'n1', clock: systemClock }))).toBe('TOKEN_USED');

    const asNode = clientOf(west, { certPem: first.certificate, keyPem: first.keyPem });
    const second = await enrolNode(asNode, { cluster: 'west', node: 'n1', clock: systemClock });
    expect(second.certificate).not.toBe(first.certificate);
    expect(await codeOf(enrolNode(asNode, { cluster: 'west', node: 'n2', clock: systemClock }))).toBe('JOIN_FORBIDDEN');
    expect(await codeOf(asNode.createToken({ kind: 'node' }))).toBe('JOIN_FORBIDDEN');
    expect(await codeOf(asNode.offer('east'))).toBe('JOIN_FORBIDDEN');
    // The certificate for the mesh etcd is shared by all nodes: it opens nothing here.
    const asLocal = clientOf(west, { certPem: first.meshCertificate, keyPem: first.keyPem });
    expect(await codeOf(asLocal.cluster())).toBe('JOIN_FORBIDDEN');
  });
});

describe('callers', () => {
  it('without a credential reach the description only', async () => {
    const { status, body } = await raw(west, 'GET', '/openapi.json');
    expect([status, body['openapi']]).toEqual([200, '3.1.0']);
    for (const call of CALLS) {
      const path = call.path.replace('{name}', 'east');
      const answer = await raw(west, call.method.toUpperCase(), path, call.body === undefined ? {} : { body: '{}' });
      // Also proves that every documented call has a route.
      expect([path, answer.status, answer.body.code]).toEqual([path, 401, 'JOIN_UNAUTHENTICATED']);
    }
  });

  it('are known by their certificate also when TLS resumes an earlier session', async () => {
    const cert = await readFile(west.pki.clients.admin.cert, 'utf8');
    const key = await readFile(west.pki.clients.admin.key, 'utf8');
    const agent = new Agent({ maxCachedSessions: 1 });
    const once = (): Promise<{ status: number | undefined; resumed: boolean }> =>
      new Promise((resolve, reject) => {
        const headers = { connection: 'close' };
        get(new URL('/v1/cluster', west.server.url), { ca: west.caBundle, cert, key, agent, headers }, (response) => {
          const socket = response.socket as TLSSocket;
          const resumed = socket.isSessionReused();
          response.resume().on('end', () => resolve({ status: response.statusCode, resumed }));
        }).on('error', reject);
      });
    expect((await once()).status).toBe(200);
    expect(await once()).toEqual({ status: 200, resumed: true });
    agent.destroy();
  });

  it('of another cluster are refused', async () => {
    const credential = {
      certPem: await readFile(east.pki.clients.admin.cert, 'utf8'),
      keyPem: await readFile(east.pki.clients.admin.key, 'utf8'),
    };
    await expect(clientOf(west, credential).cluster()).rejects.toMatchObject({
      code: 'JOIN_UNAUTHENTICATED',
      message: expect.stringContaining('isthmus-ca-east'),
    });
    expect(await codeOf(clientOf(west, { token: 'isth1.rubbish' }).cluster())).toBe('TOKEN_UNKNOWN');
  });

  it('learn which field of a body is wrong, and nothing of its value', async () => {
    const { token } = await west.admin.createToken({ kind: 'cluster' });
    const headers = { authorization: `Bearer ${token}` };
    const bad = await raw(west, 'POST', '/v1/clusters/offers', { body: '{"peer":"Secret Name"}', headers });
    expect(bad).toMatchObject({ status: 400, body: { code: 'JOIN_REQUEST_INVALID', object: 'peer' } });
    expect(JSON.stringify(bad.body)).not.toContain('Secret');
    const broken = await raw(west, 'POST', '/v1/clusters/offers', { body: '{', headers });
    expect(broken).toMatchObject({ status: 400, body: { code: 'JOIN_REQUEST_INVALID' } });
    const long = await raw(west, 'POST', '/v1/clusters/offers', { body: `{"peer":"${'x'.repeat(300_000)}"}`, headers });
    expect(long).toMatchObject({ status: 400, body: { code: 'JOIN_REQUEST_INVALID' } });
    expect(await raw(west, 'GET', '/nowhere', { headers })).toMatchObject({ status: 404, body: { code: 'JOIN_NO_SUCH_CALL' } });
  });

  it('learn nothing of what broke inside, and the log does', async () => {
    west.memory.ports.local.describe = () => Promise.reject(new Error('etcd password is hunter2'));
    const { token } = await west.admin.createToken({ kind: 'cluster' }).catch(() => ({ token: '' }));
    expect(token).toBe('');
    const answer = await west.admin.cluster().catch((error: unknown) => error);
    expect(answer).toMatchObject({ code: 'JOIN_INTERNAL' });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(west.memory.lines).toContain('error a call to the join API failed');
  });
});

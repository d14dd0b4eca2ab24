import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@isthmus/core';
import { parse } from 'yaml';
import { certificateFacts } from '../pki/certificate-facts.ts';
import { LEAF_VALIDITY_MS } from '../pki/certificate-profile.ts';
import { verifyCertificate } from '../pki/verify-certificate.ts';
import { clusterPki } from './cluster-pki.ts';
import { ClustermeshConfigDirectory } from './clustermesh-config-directory.ts';
import { FileTokenStore } from './file-token-store.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-crypto-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe('key files', () => {
  it('are 0600 in 0700, whatever the umask, and leave nothing beside them', async () => {
    const before = process.umask(0);
    try {
      await writeKeyFile(join(dir, 'a/b/x.key'), 'one');
      process.umask(0o377);
      await writeKeyFile(join(dir, 'a/b/x.key'), 'two');
    } finally {
      process.umask(before);
    }
    expect([await modeOf(join(dir, 'a/b')), await modeOf(join(dir, 'a/b/x.key'))]).toEqual(['700', '600']);
    expect(await readdir(join(dir, 'a/b'))).toEqual(['x.key']);
    expect(await readKeyFile(join(dir, 'a/b/x.key'))).toBe('two');
  });

  it('are refused when others can read them, and named when missing', async () => {
    await writeKeyFile(join(dir, 'x.key'), 'k');
    await chmod(join(dir, 'x.key'), 0o640);
    await expect(readKeyFile(join(dir, 'x.key'))).rejects.toMatchObject({ code: 'KEY_FILE_OPEN' });
    await expect(readKeyFile(join(dir, 'y.key'))).rejects.toMatchObject({ code: 'KEY_FILE_MISSING', object: join(dir, 'y.key') });
  });
});

describe('the clustermesh folder', () => {
  it('is what Cilium reads, and empty again after removal', async () => {
    const folder = new ClustermeshConfigDirectory(join(dir, 'mesh'));
    expect(await folder.list()).toEqual([]);
    await folder.write('east', { endpoints: ['https://10.0.0.1:2379'], caBundle: 'ca', certPem: 'cert', keyPem: 'key' });
    const base = join(dir, 'mesh/east');
    expect(parse(await readFile(base, 'utf8'))).toEqual({
      endpoints: ['https://10.0.0.1:2379'],
      'trusted-ca-file': `${base}.etcd-client-ca.crt`,
      'key-file': `${base}.etcd-client.key`,
      'cert-file': `${base}.etcd-client.crt`,
    });
    expect(await modeOf(`${base}.etcd-client.key`)).toBe('600');
    expect(await folder.list()).toEqual(['east']);
    await folder.remove('east');
    await folder.remove('east');
    expect(await readdir(join(dir, 'mesh'))).toEqual([]);
  });
});

describe('the file token store', () => {
  it('marks once and survives a restart', async () => {
    const path = join(dir, 'tokens.json');
    const store = new FileTokenStore(path);
    await store.put({ id: 'a', kind: 'node', subject: 'n1', secretHash: '00', expires: 1 });
    expect(await Promise.all([store.markUsed('a', 5), store.markUsed('a', 6)])).toEqual([true, false]);
    expect(await new FileTokenStore(path).get('a')).toMatchObject({ usedAt: 5, subject: 'n1' });
    expect(await modeOf(path)).toBe('600');
    await store.remove('a');
    expect(await store.list()).toEqual([]);
  });
});

describe('clusterPki', () => {
  it('makes everything once, and again only what needs it', async () => {
    const clock = new ManualClock();
    const options = { cluster: 'west', controlPlaneIps: ['10.1.0.1', 'fd00:1::1'], clock };
    const paths = await clusterPki(dir, options);
    const caBundle = await readFile(paths.ca.cert, 'utf8');
    const read = (path: string): Promise<string> => readFile(path, 'utf8');
    verifyCertificate(await read(paths.meshEtcd.cert), { caBundle, clock, usage: 'server', keyPem: await readKeyFile(paths.meshEtcd.key) });
    verifyCertificate(await read(paths.clients.admin.cert), { caBundle, clock, usage: 'client', commonName: 'admin-west' });
    const server = await read(paths.clusterEtcd.cert);

    await clusterPki(dir, options);
    expect(await read(paths.clusterEtcd.cert)).toBe(server);

    await clusterPki(dir, { ...options, controlPlaneIps: ['10.1.0.2'] });
    expect(certificateFacts(await read(paths.clusterEtcd.cert)).sans.ips).toContain('10.1.0.2');

    const [root, key] = [await read(paths.clients.root.cert), await read(paths.clients.root.key)];
    clock.advance((LEAF_VALIDITY_MS * 3) / 4);
    await clusterPki(dir, options);
    expect(await read(paths.clients.root.cert)).not.toBe(root);
    expect(await read(paths.clients.root.key)).toBe(key);
    expect(await read(paths.ca.cert)).toBe(caBundle);

    await writeKeyFile(paths.clients.root.key, 'half');
    await clusterPki(dir, options);
    const fresh = { caBundle, clock, usage: 'client', keyPem: await readKeyFile(paths.clients.root.key) } as const;
    verifyCertificate(await read(paths.clients.root.cert), fresh);
  });
});

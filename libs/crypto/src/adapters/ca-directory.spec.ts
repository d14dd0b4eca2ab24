import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, connect as tlsConnect } from 'node:tls';
import { systemClock } from '@isthmus/core';
import { mergeBundles, splitPem } from '../pki/ca-bundle.ts';
import { certificateFacts } from '../pki/certificate-facts.ts';
import { type CertificateProfile, clientProfile, joinServerProfile } from '../pki/certificate-profile.ts';
import { newKeyAndRequest } from '../pki/certificate-request.ts';
import { createClusterCa } from '../pki/cluster-ca.ts';
import { signRequest } from '../pki/sign-request.ts';
import { limitedCa } from '../testing/limited-ca.ts';
import { CaDirectory } from './ca-directory.ts';

let dir: string;
let ca: CaDirectory;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-ca-'));
  ca = new CaDirectory(dir);
  await ca.write(await createClusterCa({ cluster: 'west', clock: systemClock }));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

interface Signed {
  cert: string;
  key: string;
}

async function sign(profile: CertificateProfile): Promise<Signed> {
  const { keyPem, csrPem } = await newKeyAndRequest({ commonName: profile.commonName });
  return { cert: await signRequest({ ca: await ca.signer(), csrPem, profile, clock: systemClock }), key: keyPem };
}

/** Shakes hands as OpenSSL does it: a server and a client, each with what it shows and what it trusts. */
async function shakeHands(server: Signed & { ca: string }, client: Signed & { ca: string }): Promise<boolean> {
  const listening = createServer({ ...server, requestCert: true, rejectUnauthorized: true }, (socket) => socket.end('hello'));
  listening.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  try {
    return await new Promise<boolean>((resolve) => {
      const socket = tlsConnect({ host: '127.0.0.1', port, ...client });
      socket
        .on('data', () => resolve(true))
        .on('error', () => resolve(false))
        .on('close', () => resolve(false));
    });
  } finally {
    await new Promise((resolve) => listening.close(resolve));
  }
}

const pinsOf = async (): Promise<string[]> => splitPem(await ca.bundle()).map((pem) => certificateFacts(pem).cn);

describe('a change of the CA', () => {
  it('makes a new CA that signs at once, while both are trusted; retiring leaves the new one alone', async () => {
    await ca.rotate('west', systemClock);
    const [now, before] = await pinsOf();
    expect([now, before]).toEqual([expect.stringMatching(/^isthmus-ca-west-[0-9a-f]{8}$/), 'isthmus-ca-west']);
    expect(certificateFacts((await sign(clientProfile('x'))).cert).issuer).toBe(now);
    await expect(ca.rotate('west', systemClock)).rejects.toMatchObject({ code: 'CA_CHANGE_UNDER_WAY' });
    await ca.retire();
    expect(await pinsOf()).toEqual([now]);
    await expect(ca.retire()).rejects.toMatchObject({ code: 'CA_CHANGE_NONE' });
    expect(certificateFacts((await sign(clientProfile('x'))).cert).issuer).toBe(now);
  });

  it('lets old and new shake hands in both directions, whichever of the CAs each side knows', async () => {
    const old = { server: await sign(joinServerProfile('west')), client: await sign(clientProfile('x')) };
    const oldBundle = await ca.bundle();
    await ca.rotate('west', systemClock);
    const made = { server: await sign(joinServerProfile('west')), client: await sign(clientProfile('x')) };
    const bundles = { former: oldBundle, both: await ca.bundle(), current: splitPem(await ca.bundle())[0]! };
    const results: Record<string, boolean> = {};
    for (const [name, server, client, serverTrusts, clientTrusts] of [
      ['new to new, both know the former', made.server, made.client, bundles.former, bundles.former],
      ['new to new, both know both', made.server, made.client, bundles.both, bundles.both],
      ['new to new, both know the current', made.server, made.client, bundles.current, bundles.current],
      ['old client, server knows both', made.server, old.client, bundles.both, bundles.former],
      ['old server, client knows both', old.server, made.client, bundles.former, bundles.both],
      ['old client after the end', made.server, old.client, bundles.current, bundles.former],
      ['old server after the end', old.server, made.client, bundles.current, bundles.current],
    ] as const)
      results[name] = await shakeHands({ ...server, ca: serverTrusts }, { ...client, ca: clientTrusts });
    expect(results).toEqual({
      'new to new, both know the former': true,
      'new to new, both know both': true,
      'new to new, both know the current': true,
      'old client, server knows both': true,
      'old server, client knows both': true,
      'old client after the end': false,
      'old server after the end': false,
    });
  });

  it('can sign wherever the rotation was killed', async () => {
    const [oldKey, oldBundle] = [await readFile(ca.keyPath), await ca.bundle()];
    await ca.rotate('west', systemClock);
    const [newKey, newBundle, cross] = [await readFile(ca.keyPath), await ca.bundle(), await readFile(join(dir, 'ca-cross.crt'))];
    const states: [string, string, Buffer, Buffer | undefined, string][] = [
      ['before the bundle', oldBundle, oldKey, newKey, 'isthmus-ca-west'],
      ['after the bundle', newBundle, oldKey, newKey, certificateFacts(newBundle).cn],
      ['at the end', newBundle, newKey, undefined, certificateFacts(newBundle).cn],
    ];
    for (const [name, bundle, key, next, issuer] of states) {
      await rm(dir, { recursive: true });
      await ca.write({ certPem: bundle, keyPem: key.toString() });
      await writeFile(join(dir, 'ca-cross.crt'), cross);
      if (next) await writeFile(join(dir, 'ca-next.key'), next, { mode: 0o600 });
      const { cert } = await sign(clientProfile('x'));
      expect([name, certificateFacts(cert).issuer]).toEqual([name, issuer]);
      expect(splitPem(cert)).toHaveLength(issuer === 'isthmus-ca-west' ? 1 : 2);
    }
    // One that was killed between bundle and key is finished by retiring: the key lies where backups look for it.
    await writeFile(ca.keyPath, oldKey);
    await writeFile(join(dir, 'ca-next.key'), newKey, { mode: 0o600 });
    await ca.retire();
    expect(await readFile(ca.keyPath)).toEqual(newKey);
    expect(await readdir(dir)).not.toContain('ca-next.key');
  });

  it('keeps a certificate of the former CA to find out by who still trusts it, and removes it', async () => {
    const former = await ca.bundle();
    await ca.rotate('west', systemClock);
    const probe = { cert: await readFile(ca.former.cert, 'utf8'), key: await readFile(ca.former.key, 'utf8') };
    const server = await sign(joinServerProfile('west'));
    const client = { ...probe, ca: await ca.bundle() };
    expect(await shakeHands({ ...server, ca: mergeBundles(await ca.bundle(), former) }, client)).toBe(true);
    await ca.retire();
    expect(await shakeHands({ ...server, ca: await ca.bundle() }, client)).toBe(false);
    await ca.forgetFormer();
    expect((await readdir(dir)).sort()).toEqual(['ca-cross.crt', 'ca.crt', 'ca.key']);
  });

  it('is refused when the CA may sign no other, and changes nothing', async () => {
    const limited = await limitedCa();
    await ca.write(limited);
    await expect(ca.rotate('west', systemClock)).rejects.toMatchObject({ code: 'CA_PATH_LENGTH' });
    expect(await ca.bundle()).toBe(limited.certPem);
    await rename(ca.keyPath, join(dir, 'elsewhere'));
    await expect(ca.rotate('west', systemClock)).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
  });
});

import { X509Certificate } from 'node:crypto';
import { isCoded, ManualClock } from '@isthmus/core';
import { bundlesMeet, caPin, checkBundle, mergeBundles, pinnedCa, splitPem } from './ca-bundle.ts';
import { certificateFacts } from './certificate-facts.ts';
import { agentProfile, clientProfile, DAY_MS, etcdServerProfile, LEAF_VALIDITY_MS } from './certificate-profile.ts';
import { newKeyAndRequest } from './certificate-request.ts';
import { type CaKeyPair, createClusterCa } from './cluster-ca.ts';
import { keyBelongsTo } from './key-pair.ts';
import * as errors from './pki.errors.ts';
import { signRequest } from './sign-request.ts';
import { verifyCertificate } from './verify-certificate.ts';

const clock = new ManualClock();
let west: CaKeyPair;
let east: CaKeyPair;

beforeAll(async () => {
  west = await createClusterCa({ cluster: 'west', clock });
  east = await createClusterCa({ cluster: 'east', clock });
});

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    for (const kind of Object.values(errors)) if (isCoded(error, kind)) return error.code;
    throw error;
  }
  return 'no error';
}

describe('a cluster CA', () => {
  it('is named after its cluster, is a CA and signs itself', () => {
    const facts = certificateFacts(west.certPem);
    expect(facts).toMatchObject({ cn: 'isthmus-ca-west', issuer: 'isthmus-ca-west', isCa: true });
    const certificate = new X509Certificate(west.certPem);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(facts.fingerprintSha256);
  });

  it('does not sign when its key is another CA’s', async () => {
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const mixed = { certPem: west.certPem, keyPem: east.keyPem };
    const sign = (ca: CaKeyPair): Promise<string> => signRequest({ ca, csrPem, profile: clientProfile('x'), clock });
    expect(await codeOf(() => sign(mixed))).toBe('CA_KEY_MISMATCH');
    expect(await codeOf(() => sign({ certPem: west.certPem, keyPem: 'nonsense' }))).toBe('CA_KEY_MISMATCH');
    expect(await codeOf(() => sign({ certPem: 'nonsense', keyPem: west.keyPem }))).toBe('CERTIFICATE_UNREADABLE');
  });
});

describe('signing', () => {
  it('takes names, usages and dates from the profile, only the key from the request', async () => {
    const { keyPem, csrPem } = await newKeyAndRequest({
      commonName: 'root',
      dnsNames: ['evil.example'],
      uris: ['spiffe://west/node/other'],
    });
    const certPem = await signRequest({ ca: west, csrPem, profile: agentProfile('west', 'n1'), clock });
    const facts = certificateFacts(certPem);
    expect(facts.cn).toBe('agent-n1');
    expect(facts.sans).toEqual({ dns: [], ips: [], uris: ['spiffe://west/node/n1'] });
    expect(facts.usages).toEqual({ server: true, client: true });
    expect(facts.isCa).toBe(false);
    expect(facts.notAfter).toBe(clock.wall() + LEAF_VALIDITY_MS);
    expect(keyBelongsTo(certPem, keyPem)).toBe(true);
    expect(new X509Certificate(certPem).checkIssued(new X509Certificate(west.certPem))).toBe(true);
  });

  it('puts names and both families into a server certificate', async () => {
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const profile = etcdServerProfile({ dnsNames: ['etcd.west'], ips: ['10.1.0.1', 'fd00::1'] });
    const certificate = new X509Certificate(await signRequest({ ca: west, csrPem, profile, clock }));
    for (const host of ['etcd.west', 'west.mesh.cilium.io', 'localhost']) expect(certificate.checkHost(host)).toBeTruthy();
    for (const ip of ['10.1.0.1', 'fd00::1', '127.0.0.1', '::1']) expect(certificate.checkIP(ip)).toBeTruthy();
    expect(certificate.checkIP('10.1.0.2')).toBeUndefined();
  });

  it('gives each certificate another serial', async () => {
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const serials = new Set<string>();
    for (let i = 0; i < 8; i++) {
      serials.add(certificateFacts(await signRequest({ ca: west, csrPem, profile: clientProfile('x'), clock })).serial);
    }
    expect(serials.size).toBe(8);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/);
  });

  it('never lets a certificate outlive its CA', async () => {
    const brief = await createClusterCa({ cluster: 'brief', clock, validity: 30 * DAY_MS });
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const facts = certificateFacts(await signRequest({ ca: brief, csrPem, profile: clientProfile('x'), clock }));
    expect(facts.notAfter).toBe(certificateFacts(brief.certPem).notAfter);
  });

  it('refuses a request that is not signed by its own key', async () => {
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const der = Buffer.from(csrPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    der[der.length - 2]! ^= 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const sign = (csr: string): Promise<string> => signRequest({ ca: west, csrPem: csr, profile: clientProfile('x'), clock });
    expect(await codeOf(() => sign(forged))).toBe('REQUEST_UNPROVEN');
    expect(await codeOf(() => sign('rubbish'))).toBe('REQUEST_INVALID');
    expect(await codeOf(() => sign(west.certPem))).toBe('REQUEST_INVALID');
  });
});

describe('verification', () => {
  let certPem: string;
  let keyPem: string;
  const expected = (): Parameters<typeof verifyCertificate>[1] => ({ caBundle: west.certPem, clock, usage: 'client' });

  beforeAll(async () => {
    const request = await newKeyAndRequest({ commonName: 'ignored' });
    keyPem = request.keyPem;
    certPem = await signRequest({ ca: west, csrPem: request.csrPem, profile: clientProfile('admin-west'), clock });
  });

  it('passes what is right, also while two CAs are trusted', () => {
    expect(verifyCertificate(certPem, { ...expected(), commonName: 'admin-west', keyPem }).cn).toBe('admin-west');
    expect(verifyCertificate(certPem, { ...expected(), caBundle: mergeBundles(east.certPem, west.certPem) }).cn).toBe('admin-west');
  });

  it('tells each fault by its own code', async () => {
    const other = await newKeyAndRequest({ commonName: 'x' });
    const impostor = await createClusterCa({ cluster: 'west', clock });
    const faults: [string, () => unknown][] = [
      ['CERTIFICATE_WRONG_CA', () => verifyCertificate(certPem, { ...expected(), caBundle: east.certPem })],
      ['CERTIFICATE_WRONG_CA', () => verifyCertificate(certPem, { ...expected(), caBundle: impostor.certPem })],
      ['CERTIFICATE_WRONG_CA', () => verifyCertificate(certPem, { ...expected(), caBundle: '' })],
      ['CERTIFICATE_USAGE', () => verifyCertificate(certPem, { ...expected(), usage: 'server' })],
      ['CERTIFICATE_NAME', () => verifyCertificate(certPem, { ...expected(), commonName: 'admin-east' })],
      ['CERTIFICATE_KEY_MISMATCH', () => verifyCertificate(certPem, { ...expected(), keyPem: other.keyPem })],
      ['CERTIFICATE_UNREADABLE', () => verifyCertificate('x', expected())],
    ];
    for (const [code, work] of faults) expect(await codeOf(work)).toBe(code);
  });

  it('believes the signature, not the names', async () => {
    // Issuer and key identifiers still fit; only the signature is broken.
    const der = Buffer.from(certPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    der[der.length - 1]! ^= 1;
    const forged = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    expect(await codeOf(() => verifyCertificate(forged, expected()))).toBe('CERTIFICATE_WRONG_CA');
  });

  it('follows the wall clock', async () => {
    const late = new ManualClock(clock.wall() + LEAF_VALIDITY_MS + 1);
    const early = new ManualClock(clock.wall() - DAY_MS);
    expect(await codeOf(() => verifyCertificate(certPem, { ...expected(), clock: late }))).toBe('CERTIFICATE_EXPIRED');
    expect(await codeOf(() => verifyCertificate(certPem, { ...expected(), clock: early }))).toBe('CERTIFICATE_NOT_YET_VALID');
  });
});

describe('a CA bundle', () => {
  it('holds each CA once, in order', () => {
    const bundle = mergeBundles(west.certPem, `noise\n${east.certPem}`, west.certPem);
    expect(splitPem(bundle).map(caPin)).toEqual([caPin(west.certPem), caPin(east.certPem)]);
    expect(bundlesMeet(bundle, east.certPem)).toBe(true);
    expect(bundlesMeet(west.certPem, east.certPem)).toBe(false);
  });

  it('refuses what is no CA, and nothing at all', async () => {
    const { csrPem, keyPem } = await newKeyAndRequest({ commonName: 'x' });
    const leaf = await signRequest({ ca: west, csrPem, profile: clientProfile('x'), clock });
    for (const text of ['', leaf, `${west.certPem}${leaf}`, west.certPem.repeat(9)]) {
      expect(await codeOf(() => checkBundle(text, 'east'))).toBe('CA_BUNDLE_INVALID');
    }
    expect(checkBundle(`${west.certPem}${keyPem}`, 'east')).toBe(west.certPem);
  });

  it('finds the pinned CA among what a server shows, or none', async () => {
    expect(pinnedCa(mergeBundles(east.certPem, west.certPem), caPin(west.certPem), 'west')).toBe(west.certPem);
    expect(await codeOf(() => pinnedCa(east.certPem, caPin(west.certPem), 'west'))).toBe('CA_PIN_MISMATCH');
  });
});

import { createHash } from 'node:crypto';
import { isCoded, ManualClock } from '@isthmus/core';
import fc from 'fast-check';
import { certificateFacts } from './certificate-facts.ts';
import { newKeyAndRequest, requestForKey } from './certificate-request.ts';
import { type CaKeyPair, createClusterCa } from './cluster-ca.ts';
import { der, derElements, derOid } from './der.ts';
import { newPrivateKey } from './key-pair.ts';
import { CERTIFICATE_UNREADABLE } from './pki.errors.ts';
import { signRequest } from './sign-request.ts';
import { type X509Library, x509Library } from './x509-library.ts';

const clock = new ManualClock();
let library: X509Library;
let ca: CaKeyPair;
let csrPem: string;

beforeAll(async () => {
  library = await x509Library();
  ca = await createClusterCa({ cluster: 'west', clock });
  ({ csrPem } = await newKeyAndRequest({ commonName: 'x' }));
});

/** The same facts by the library that signs. */
function byLibrary(pem: string): object {
  const certificate = new library.X509Certificate(library.PemConverter.decodeFirst(pem));
  const names = certificate.getExtension(library.SubjectAlternativeNameExtension)?.names.items ?? [];
  const usages = certificate.getExtension(library.ExtendedKeyUsageExtension)?.usages ?? [];
  return {
    cn: certificate.subjectName.getField('CN')[0] ?? '',
    issuer: certificate.issuerName.getField('CN')[0] ?? '',
    dns: names.filter(({ type }) => type === 'dns').map(({ value }) => value),
    uris: names.filter(({ type }) => type === 'url').map(({ value }) => value),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
    fingerprintSha256: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
    serial: certificate.serialNumber,
    isCa: certificate.getExtension(library.BasicConstraintsExtension)?.ca ?? false,
    pathLength: certificate.getExtension(library.BasicConstraintsExtension)?.pathLength,
    keyId: certificate.getExtension(library.SubjectKeyIdentifierExtension)?.keyId ?? '',
    issuerKeyId: certificate.getExtension(library.AuthorityKeyIdentifierExtension)?.keyId ?? '',
    usages: { server: usages.includes(library.ExtendedKeyUsage.serverAuth), client: usages.includes(library.ExtendedKeyUsage.clientAuth) },
  };
}

function ours(pem: string): object {
  const { sans, ...facts } = certificateFacts(pem);
  return { ...facts, dns: sans.dns, uris: sans.uris };
}

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/);

describe('the facts of a certificate', () => {
  it('are those that the library reads, whatever it says', async () => {
    const profile = fc.record({
      commonName: fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme-ascii' }).map(
        (text) =>
          text
            .replaceAll('"', '')
            .replace(/^[\s#]+/, '')
            .trim() || 'x',
      ), // to the library that writes it, a # is hex and quotes are none
      dnsNames: fc.array(label, { maxLength: 40 }),
      uris: fc.array(
        label.map((name) => `spiffe://west/node/${name}`),
        { maxLength: 3 },
      ),
      ips: fc.array(fc.oneof(fc.ipV4(), fc.constantFrom('fd00::1', '::1')), { maxLength: 3 }),
      usages: fc.subarray(['server', 'client'] as const, { minLength: 1 }),
      validityMs: fc.integer({ min: 60_000, max: 1e11 }),
    });
    const check = async (made: Parameters<typeof signRequest>[0]['profile']): Promise<void> => {
      const pem = await signRequest({ ca, csrPem, profile: made, clock });
      expect(ours(pem)).toEqual(byLibrary(pem));
      expect(certificateFacts(pem).sans.ips).toEqual(made.ips);
    };
    await fc.assert(fc.asyncProperty(profile, check), { numRuns: 30 });
    expect(ours(ca.certPem)).toEqual(byLibrary(ca.certPem));
    expect(certificateFacts(ca.certPem)).toMatchObject({ isCa: true, pathLength: 1, issuerKeyId: '' });
  }, 30_000);

  it('are refused as a whole when a byte is wrong, with a code', async () => {
    const raw = Buffer.from(new library.X509Certificate(library.PemConverter.decodeFirst(ca.certPem)).rawData);
    fc.assert(
      fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(raw.length), (at, flip, end) => {
        const broken = Buffer.from(raw.subarray(0, Math.max(end, at + 1)));
        broken[at]! ^= flip;
        try {
          certificateFacts(`-----BEGIN CERTIFICATE-----\n${broken.toString('base64')}\n-----END CERTIFICATE-----\n`);
        } catch (error) {
          expect(isCoded(error, CERTIFICATE_UNREADABLE)).toBe(true);
        }
      }),
    );
  });
});

describe('a request', () => {
  it('is one that the library takes, with the names that were proposed', async () => {
    const keyPem = await newPrivateKey();
    const proposed = { commonName: 'agent-n1', dnsNames: ['a.example'], ips: ['10.0.0.1'], uris: ['spiffe://west/node/n1'] };
    const request = new library.Pkcs10CertificateRequest(library.PemConverter.decodeFirst(requestForKey(keyPem, proposed)));
    expect(await request.verify()).toBe(true);
    expect(request.subject).toBe('CN=agent-n1');
    const names = new library.SubjectAlternativeNameExtension(request.getExtension('2.5.29.17')!.rawData).names.items;
    expect(names.map(({ value }) => value)).toEqual(['a.example', '10.0.0.1', 'spiffe://west/node/n1']);
    expect(() => requestForKey('half', proposed)).toThrow(expect.objectContaining({ code: 'KEY_UNREADABLE' }));
  });
});

describe('DER', () => {
  it('reads what it writes, of any length that a certificate has', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70_000 }), { maxLength: 3 }), (contents) => {
        const bytes = Buffer.concat(contents.map((content) => der(0x04, content)));
        expect(derElements(bytes).map(({ content }) => Buffer.from(content))).toEqual(contents.map((content) => Buffer.from(content)));
      }),
      { numRuns: 30 },
    );
    expect(Buffer.from(derOid('1.2.840.113549.1.9.14')).toString('hex')).toBe('06092a864886f70d01090e');
  });

  it('refuses lengths that reach beyond the end, and forms that DER has not', () => {
    for (const bytes of ['0405', '048201', '0480', '04840000000100', '1f010000']) {
      expect(() => derElements(Buffer.from(bytes, 'hex'))).toThrow(RangeError);
    }
  });
});

import { CodedError, ManualClock } from '@isthmus/core';
import {
  agentProfile,
  type CertificateProfile,
  clientProfile,
  DAY_MS,
  etcdServerProfile,
  LEAF_VALIDITY_MS,
  newKeyAndRequest,
} from '@isthmus/crypto';
import { CallerIdentity } from './caller-identity.ts';
import { type MemoryCluster, memoryCluster } from './testing/memory-ports.ts';

const clock = new ManualClock();
let west: MemoryCluster;
let identity: CallerIdentity;

beforeAll(async () => {
  west = await memoryCluster('west', 1, clock);
  identity = new CallerIdentity(west.ports);
});

/** Who the server takes the holder of such a certificate for, or the code of the refusal. */
async function seenAs(profile: CertificateProfile, signer: MemoryCluster = west): Promise<string> {
  const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
  return await outcome({ authorization: undefined, certificatePem: await signer.ports.signer.sign(csrPem, profile) });
}

async function outcome(credentials: { authorization: string | undefined; certificatePem: string | undefined }): Promise<string> {
  try {
    const caller = await identity.identify(credentials);
    return `${caller.kind} ${caller.kind === 'token' ? caller.id : caller.name}`;
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
}

describe('CallerIdentity', () => {
  it('knows admin and nodes of its own cluster and those it certified, and nobody else who holds a certificate of it', async () => {
    expect(await seenAs(clientProfile('admin-west'))).toBe('admin admin-west');
    expect(await seenAs(agentProfile('west', 'n1'))).toBe('node n1');
    expect(await seenAs(clientProfile('remote-east'))).toBe('remote east');
    for (const cn of ['admin-east', 'agent-n1', 'local-west', 'root', 'operator', '']) {
      expect([cn, await seenAs(clientProfile(cn))]).toEqual([cn, 'JOIN_FORBIDDEN']);
    }
    expect(await seenAs(agentProfile('east', 'n1'))).toBe('JOIN_FORBIDDEN');
    expect(await seenAs({ ...agentProfile('west', 'n1'), commonName: 'agent-n2' })).toBe('JOIN_FORBIDDEN');
  });

  it('refuses foreign, wrong-purpose and expired certificates, and nothing at all', async () => {
    const east = await memoryCluster('east', 2, clock);
    const impostor = await memoryCluster('west', 1, clock);
    expect(await seenAs(clientProfile('admin-west'), east)).toBe('JOIN_UNAUTHENTICATED');
    expect(await seenAs(clientProfile('admin-west'), impostor)).toBe('JOIN_UNAUTHENTICATED');
    expect(await seenAs({ ...etcdServerProfile(), commonName: 'admin-west', usages: ['server'] })).toBe('JOIN_UNAUTHENTICATED');
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const certificatePem = await west.ports.signer.sign(csrPem, { ...clientProfile('admin-west'), validityMs: DAY_MS });
    clock.advance(2 * DAY_MS);
    expect(await outcome({ authorization: undefined, certificatePem })).toBe('JOIN_UNAUTHENTICATED');
    expect(await outcome({ authorization: undefined, certificatePem: undefined })).toBe('JOIN_UNAUTHENTICATED');
  });

  it('refuses what it withdrew, and remembers whom it refused and why, by the name that was claimed', async () => {
    const north = await memoryCluster('north', 4, clock);
    const { refusals, access } = west.ports;
    const { csrPem } = await newKeyAndRequest({ commonName: 'x' });
    const certificatePem = await west.ports.signer.sign(csrPem, clientProfile('remote-south'));
    expect(await outcome({ authorization: undefined, certificatePem })).toBe('remote south');
    await access.withdraw('south');
    expect(await outcome({ authorization: undefined, certificatePem })).toBe('CERTIFICATE_REVOKED');
    expect(refusals.of('remote-south')).toMatchObject({ times: 1, problem: { code: 'CERTIFICATE_REVOKED', object: 'remote-south' } });
    clock.advance(LEAF_VALIDITY_MS + DAY_MS);
    expect(await outcome({ authorization: undefined, certificatePem })).toBe('CERTIFICATE_REVOKED');
    clock.stepWall(-LEAF_VALIDITY_MS - DAY_MS);
    expect(refusals.of('remote-south')?.problem.message).toMatch(/^west revoked remote-south \(serial .*\) at 20/);
    await seenAs(clientProfile('remote-east'), north);
    expect(refusals.of('remote-east')?.problem).toMatchObject({
      code: 'CERTIFICATE_WRONG_CA',
      message: 'remote-east is signed by isthmus-ca-north; trusted is isthmus-ca-west',
    });
    await outcome({ authorization: undefined, certificatePem: 'nonsense' });
    await seenAs(clientProfile('<script>'), north);
    expect(refusals.list().map(({ user }) => user)).toEqual(['remote-south', 'remote-east']);
  });

  it('knows a token by its text, and prefers it to a certificate', async () => {
    const { text, record } = await west.ports.tokens.issue({ kind: 'node' });
    expect(await outcome({ authorization: `Bearer ${text}`, certificatePem: 'not even read' })).toBe(`token ${record.id}`);
    expect(await outcome({ authorization: `Basic ${text}`, certificatePem: undefined })).toBe('JOIN_UNAUTHENTICATED');
    expect(await outcome({ authorization: `Bearer ${text}x`, certificatePem: undefined })).toBe('TOKEN_UNKNOWN');
  });
});

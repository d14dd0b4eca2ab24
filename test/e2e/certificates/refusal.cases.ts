import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, systemClock } from '@isthmus/core';
import { CaDirectory, clientProfile, requestForKey, signRequest, writeCertificateFile, writeFileAtomically } from '@isthmus/crypto';
import { clusterFiles, expectNoLoss, flowSet, type Lab } from '@isthmus/lab';
import { isthmus, startAgain } from '../errors/error-lab.ts';
import { bothReady, certificateFiles, LIFETIME_S, remoteWhen } from './certificate-lab.ts';
import { expectPropagation } from './propagation.ts';

/** What west shows to east instead of what it was given: a certificate of this cluster's CA, under this name, made at this time. */
interface Wrong {
  signer: string;
  commonName?: string;
  clock?: Clock;
}

/** Puts a certificate in the place of the one that west shows to east, for the same key. */
async function showToEast(lab: Lab, { signer, commonName = 'remote-west', clock = systemClock }: Wrong): Promise<void> {
  const west = lab.cluster('west');
  const keyPem = await readFile(`${clusterFiles(west).clustermesh}/east.etcd-client.key`, 'utf8');
  const ca = await new CaDirectory(dirname(clusterFiles(lab.cluster(signer)).pki.ca.cert)).signer();
  const profile = { ...clientProfile(commonName), validityMs: LIFETIME_S * 1000 };
  const csrPem = requestForKey(keyPem, { commonName });
  await writeCertificateFile(certificateFiles(west)['at east']!, await signRequest({ ca, csrPem, profile, clock }));
}

/** Ends every connection that west's apiserver has: the next one is made with what lies on disk. */
async function restartApiserver(lab: Lab, name: string): Promise<void> {
  await lab.processes.stop(`${name}/apiserver`, 'SIGKILL');
  startAgain(lab, `${name}/apiserver`, lab.cluster(name).control);
}

async function reconnect(lab: Lab): Promise<void> {
  const connected = await isthmus(lab, 'west', ['clustermesh', 'connect', '--context', 'west', '--destination-context', 'east']);
  expect(connected).toMatchObject({ status: 0, stdout: expect.stringContaining('were connected already') });
  await bothReady(lab);
}

/** When the CA, which is dated back, was there already, and longer ago than a certificate lives. */
const aMinuteAgo: Clock = { ...systemClock, wall: () => Date.now() - 60_000 };

export function refusalCases(getLab: () => Lab): void {
  it.each([
    {
      what: 'has expired',
      wrong: { signer: 'east', clock: aMinuteAgo },
      there: ['CERTIFICATE_EXPIRED', /^remote-west expired at 20.*; renewing it failed: the client certificate is refused/],
      here: ['CERTIFICATE_EXPIRED', /^remote-west expired at 20/],
      etcd: /the client certificate remote-west .* expired at 20/,
    },
    {
      what: 'is of an unknown CA',
      wrong: { signer: 'west' },
      there: ['JOIN_UNAUTHENTICATED', /remote-west is signed by isthmus-ca-west.*; trusted is isthmus-ca-east/],
      here: ['CERTIFICATE_WRONG_CA', /^remote-west is signed by isthmus-ca-west.*; trusted is isthmus-ca-east/],
      etcd: /the server does not accept the client certificate remote-west of isthmus-ca-west/,
    },
    {
      what: 'names another cluster',
      wrong: { signer: 'east', commonName: 'remote-north' },
      there: ['CERTIFICATE_NAME', /^the certificate names remote-north; remote-west is expected/],
      here: ['CERTIFICATE_NAME', /^the certificate names remote-north; remote-west is expected/],
      etcd: /permission denied/,
    },
  ] as const)('is refused when its certificate $what: both clusters say why, and nothing is lost', async ({ wrong, there, here, etcd }) => {
    const lab = getLab();
    await expectNoLoss(lab, await flowSet(lab), async () => {
      await showToEast(lab, wrong);
      await restartApiserver(lab, 'west');
      const west = await remoteWhen(lab, 'west', 'east refuses it', ({ certificateThere, problem }) => {
        return (
          certificateThere?.problem?.code === there[0] && problem?.code === 'MESH_REMOTE_DISCONNECTED' && etcd.test(problem.cause ?? '')
        );
      });
      expect(west.certificateThere?.problem).toMatchObject({
        message: expect.stringMatching(there[1]),
        action: expect.stringMatching(/\S/),
      });
      const east = await remoteWhen(lab, 'east', 'it refuses west', ({ certificateHere }) => certificateHere?.problem?.code === here[0]);
      expect(east.certificateHere?.problem?.message).toMatch(here[1]);
      await reconnect(lab);
    });
    await expectPropagation(lab, `after-${here[0].toLowerCase().replaceAll('_', '-')}`);
  });

  it('reads nothing more from the moment that it is revoked, also over connections that it has; connecting anew brings it back', async () => {
    const lab = getLab();
    await expectNoLoss(lab, await flowSet(lab), async () => {
      const revoked = await isthmus(lab, 'east', ['clustermesh', 'revoke', 'west', '--context', 'east', '-o', 'json']);
      expect(revoked.status).toBe(0);
      const { certificates, connectionsEnded } = JSON.parse(revoked.stdout) as { certificates: number; connectionsEnded: number };
      expect(certificates).toBeGreaterThan(0);
      expect(connectionsEnded).toBeGreaterThan(0);
      const west = await remoteWhen(lab, 'west', 'it was revoked', ({ certificateThere, ready }) => {
        return !ready && certificateThere?.problem?.code === 'CERTIFICATE_REVOKED';
      });
      expect(west.certificateThere?.problem?.message).toMatch(/^east revoked remote-west \(serial [0-9a-f]+\) at 20/);
      const { certificateHere } = await remoteWhen(lab, 'east', 'it revoked west', (remote) => remote.certificateHere?.state === 'revoked');
      expect(certificateHere?.problem).toMatchObject({ code: 'CERTIFICATE_REVOKED', object: 'remote-west' });
      await reconnect(lab);
    });
    await expectPropagation(lab, 'after-revocation');
  });
}

/** Where west asks east for its next certificate. */
async function moveJoinApi(lab: Lab, endpoint: string): Promise<void> {
  const file = `${clusterFiles(lab.cluster('west')).clustermesh}/east.peer.json`;
  const peer = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFileAtomically(file, JSON.stringify({ ...peer, joinEndpoint: endpoint }), 0o644);
}

/** The end of a certificate as it comes in life: nobody answers where it would be renewed, for longer than it lives. */
export function overdueCases(getLab: () => Lab): void {
  it('is warned of, then refused, when its certificate cannot be renewed until it has ended, and has to be connected anew', async () => {
    const lab = getLab();
    await expectNoLoss(lab, await flowSet(lab), async () => {
      await moveJoinApi(lab, 'https://127.0.0.1:1');
      const late = await remoteWhen(lab, 'west', 'its certificate is late', (remote) => remote.certificateThere?.state === 'late');
      expect(late.certificateThere?.problem).toMatchObject({ code: 'CERTIFICATE_RENEWAL', message: expect.stringContaining('no answer') });
      expect(late.ready).toBe(true);
      const east = await remoteWhen(lab, 'east', 'west has expired', ({ certificateHere }) => certificateHere?.state === 'expired');
      expect(east.certificateHere?.problem).toMatchObject({ code: 'CERTIFICATE_EXPIRED', object: 'remote-west' });
      const west = await remoteWhen(lab, 'west', 'it has expired and cannot read', ({ problem }) => {
        return /the client certificate remote-west .* expired/.test(problem?.cause ?? '');
      });
      expect(west.certificateThere?.problem).toMatchObject({
        code: 'CERTIFICATE_EXPIRED',
        action: expect.stringContaining('clustermesh connect'),
      });
      await reconnect(lab);
    });
    await expectPropagation(lab, 'after-expiry');
  });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateFacts, splitPem } from '@isthmus/crypto';
import { clusterFiles, expectNoLoss, flowSet, type Lab, waitUntil } from '@isthmus/lab';
import { isthmus, startAgain } from '../errors/error-lab.ts';
import { bothReady, certificatesOf } from './certificate-lab.ts';
import { expectPropagation } from './propagation.ts';

interface CaStatus {
  cas: { name: string; signs: boolean }[];
  waitsFor: { name: string }[];
  stillTrusted: string[];
}

async function ca(lab: Lab, cluster: string, ...args: readonly string[]): Promise<CaStatus> {
  const { status, stdout, stderr } = await isthmus(lab, cluster, ['cluster', 'ca', ...args, '--context', cluster, '-o', 'json']);
  expect([args, status, stderr]).toEqual([args, 0, '']);
  return JSON.parse(stdout) as CaStatus;
}

/** Names of the CAs that everybody trusts for a cluster: itself, its node, its peer. */
function trustedFor(lab: Lab, name: string): string[][] {
  const cluster = lab.cluster(name);
  const peer = lab.cluster(name === 'east' ? 'west' : 'east');
  const bundles = [
    clusterFiles(cluster).pki.ca.cert,
    join(cluster.nodes[0]!.run, 'isthmus/pki/ca.crt'),
    join(clusterFiles(peer).clustermesh, `${name}.etcd-client-ca.crt`),
  ];
  return bundles.map((file) => splitPem(readFileSync(file, 'utf8')).map((pem) => certificateFacts(pem).cn));
}

/** Names of the CAs that signed what a cluster signs: its own, its node's, and what its peer shows to it. */
function issuers(lab: Lab, name: string): string[] {
  const peer = name === 'east' ? 'west' : 'east';
  const all = Object.entries(certificatesOf(lab)).filter(
    ([use]) => (use.startsWith(`${name}: `) && use !== `${name}: at ${peer}`) || use === `${peer}: at ${name}`,
  );
  expect(all).toHaveLength(11);
  return [...new Set(all.map(([, { issuer }]) => issuer))];
}

export function caChangeCases(getLab: () => Lab, names: readonly string[]): void {
  it.each(names)('of %s is changed while everything goes on: both are trusted meanwhile, no packet is lost', async (name) => {
    const lab = getLab();
    const [former] = issuers(lab, name);
    const result = await expectNoLoss(lab, await flowSet(lab), async () => {
      const begun = await ca(lab, name, 'rotate');
      expect(begun.cas.map(({ signs }) => signs)).toEqual([true, false]);
      const retired = await ca(lab, name, 'retire', '--wait', '--wait-duration', '60s');
      expect(retired.cas).toEqual([begun.cas[0]]);
      // Nobody was left behind: that is what retiring waited for.
      expect(issuers(lab, name)).toEqual([begun.cas[0]?.name]);
      await waitUntil(() => trustedFor(lab, name).every((bundle) => bundle.length === 1), {
        what: 'everybody to forget the former CA',
        timeoutMs: 30_000,
        everyMs: 200,
      });
      expect(trustedFor(lab, name)).toEqual([[begun.cas[0]?.name], [begun.cas[0]?.name], [begun.cas[0]?.name]]);
      expect(begun.cas[0]?.name).not.toBe(former);
      await expectPropagation(lab, `after-change-in-${name}`);
      expect(retired.stillTrusted).toEqual(['cluster etcd', 'mesh etcd']);
      await restartEtcds(lab, name);
    });
    expect(result).toMatch(/^0 of \d+ packets/);
    await bothReady(lab);
    await expectPropagation(lab, `after-restart-in-${name}`);
  });
}

/** Etcd reads its CAs when it starts, and only then: the former one is trusted there until somebody restarts it. */
async function restartEtcds(lab: Lab, name: string): Promise<void> {
  for (const etcd of ['etcd', 'mesh-etcd']) {
    await lab.processes.stop(`${name}/${etcd}`);
    startAgain(lab, `${name}/${etcd}`, lab.cluster(name).control);
  }
  await bothReady(lab);
  await waitUntil(async () => (await ca(lab, name, 'status')).stillTrusted.length === 0, {
    what: `the etcds of ${name} to trust the new CA alone`,
    timeoutMs: 30_000,
  });
}

import { agentId, expectNoLoss, flowSet, type Lab, waitUntil } from '@isthmus/lab';
import { statusWhen } from '../errors/error-lab.ts';
import { brokenConnections, certificatesOf, LIFETIME_S, meshStatus, shownBy } from './certificate-lab.ts';
import { expectPropagation } from './propagation.ts';

/** Everything that connects to an etcd. */
function clientsOf(lab: Lab): string[] {
  return lab.plan.clusters.flatMap(({ name, nodes }) => [`${name}/apiserver`, `${name}/operator`, ...nodes.map(agentId)]);
}

/** Waits until no certificate is left of those that there were, and all of those have ended. */
async function everyCertificateOutlived(lab: Lab): Promise<void> {
  const before = certificatesOf(lab);
  const old = new Set(Object.values(before).map(({ serial }) => serial));
  const ends = Math.max(...Object.values(before).map(({ notAfter }) => notAfter));
  const kept = (): string[] => Object.entries(certificatesOf(lab)).flatMap(([use, { serial }]) => (old.has(serial) ? [use] : []));
  await waitUntil(() => kept().length === 0 && Date.now() > ends, {
    what: 'every certificate to be replaced, and the replaced ones to end',
    timeoutMs: 2 * LIFETIME_S * 1000,
    everyMs: 500,
    onTimeout: () => kept().join(', '),
  });
}

export function renewalCases(getLab: () => Lab, lives: number): void {
  it(`are all replaced before they end, ${lives} times over: no packet is lost, no connection breaks, nothing is restarted`, async () => {
    const lab = getLab();
    const clients = clientsOf(lab);
    const [pids, broken] = [lab.processes.list().map(({ pid }) => pid), brokenConnections(lab, clients).length];
    const result = await expectNoLoss(lab, await flowSet(lab), async () => {
      for (let life = 0; life < lives; life++) await everyCertificateOutlived(lab);
    });
    expect(result).toMatch(/^0 of \d+ packets/);
    expect(brokenConnections(lab, clients).slice(broken)).toEqual([]);
    expect(lab.processes.list().map(({ pid }) => pid)).toEqual(pids);
    // The watches that began with the first certificates still tell what happens.
    await expectPropagation(lab, 'after-renewal');
  });

  it('are shown by the servers that have them', async () => {
    const lab = getLab();
    for (const cluster of lab.plan.clusters) {
      const shown = await waitUntil(
        async () => {
          const [all, onDisk] = [await shownBy(lab, cluster), certificatesOf(lab)];
          return Object.entries(all).every(([name, serial]) => onDisk[`${cluster.name}: ${name}`]?.serial === serial) && all;
        },
        { what: `the servers of ${cluster.name} to show what lies on disk`, timeoutMs: 20_000, everyMs: 200 },
      );
      expect(Object.keys(shown)).toEqual(['cluster etcd', 'mesh etcd', 'join API']);
    }
  });

  it('are shown with what is left of their life, by status and by metrics', async () => {
    const lab = getLab();
    const { certificates, remotes } = await meshStatus(lab, 'east');
    const uses = ['CA', 'cluster etcd', 'mesh etcd', 'join API', 'root', 'admin', 'operator', 'apiserver', 'local', 'node'];
    expect(certificates.map(({ use, state }) => [use, state])).toEqual(uses.map((use) => [use, 'good']));
    expect([remotes[0].certificateThere?.name, remotes[0].certificateHere?.name]).toEqual(['remote-east', 'remote-west']);
    const status = await statusWhen(
      lab.node('east', 'n1'),
      'its certificates are good',
      (each) => (each as NodeStatus).certificates.length === 2,
    );
    expect((status as NodeStatus).certificates.map(({ name, state }) => [name, state])).toEqual([
      ['agent-n1', 'good'],
      ['local-east', 'good'],
    ]);
    const { stdout } = await lab.exec('east', [
      process.execPath,
      '-e',
      'fetch(process.argv[1]).then((a) => a.text()).then(console.log)',
      METRICS,
    ]);
    const ends = [...stdout.matchAll(/^isthmus_certificate_not_after_timestamp_seconds\{.*use="(.*)"\} ([\d.e+]+)$/gm)];
    expect(ends.map(([, use]) => use)).toEqual([...uses, 'at west', 'here']);
    for (const [, , end] of ends) expect(Number(end)).toBeGreaterThan(Date.now() / 1000);
  });
}

const METRICS = 'http://127.0.0.1:9962/metrics';

type NodeStatus = Awaited<ReturnType<typeof statusWhen>> & { certificates: { name: string; state: string }[] };

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, seededRandom } from '@isthmus/core';
import {
  CaDirectory,
  type ClusterPkiPaths,
  certificateFacts,
  clusterPki,
  controlPlanePairs,
  splitPem,
  writeCertificateFile,
} from '@isthmus/crypto';
import { lineLog } from '../join/testing/memory-ports.ts';
import { OwnCertificates } from './own-certificates.ts';

const HOUR_MS = 3_600_000;
const NAMES = ['cluster etcd', 'mesh etcd', 'join API', 'root', 'admin', 'operator', 'apiserver', 'local'];

describe('OwnCertificates', () => {
  let dir: string;
  let clock: ManualClock;
  let paths: ClusterPkiPaths;
  let renewed: string[];
  let lines: string[];
  let own: OwnCertificates;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'isthmus-own-'));
    [clock, renewed, lines] = [new ManualClock(), [], []];
    paths = await clusterPki(dir, { cluster: 'west', controlPlaneIps: ['10.1.0.1', 'fd00:1::1'], validityMs: HOUR_MS, clock });
    own = new OwnCertificates({
      pairs: controlPlanePairs(dir, 'west', clock),
      validityMs: HOUR_MS,
      clock,
      random: seededRandom(1),
      log: lineLog(lines),
      onRenewed: (names) => renewed.push(...names),
    });
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const facts = async (path: string) => certificateFacts(await readFile(path, 'utf8'));

  it('renews every certificate of the control plane after half of its life, under its names and for its key', async () => {
    const before = await facts(paths.meshEtcd.cert);
    const key = await readFile(paths.meshEtcd.key, 'utf8');
    clock.advance(HOUR_MS / 4);
    await own.look();
    expect(renewed).toEqual([]);
    clock.advance(HOUR_MS / 3);
    await own.look();
    expect(renewed).toEqual(NAMES);
    const after = await facts(paths.meshEtcd.cert);
    expect(after.serial).not.toBe(before.serial);
    expect([after.cn, after.sans, after.usages]).toEqual([before.cn, before.sans, before.usages]);
    expect(after.notAfter).toBe(clock.wall() + HOUR_MS);
    expect(await readFile(paths.meshEtcd.key, 'utf8')).toBe(key);
    expect(own.list().map(({ name, problem }) => [name, problem])).toEqual(NAMES.map((name) => [name, undefined]));
  });

  it('renews all of them at once when another CA signs, and shows the CA that tokens pin', async () => {
    const ca = new CaDirectory(join(dir, 'ca'));
    await ca.rotate('west', clock);
    await own.look();
    expect(renewed).toEqual(NAMES);
    const [current, former] = splitPem(await ca.bundle());
    const shown = splitPem(await readFile(paths.joinApi.cert, 'utf8'));
    expect([shown.length, shown.at(-1)]).toEqual([3, former]);
    await ca.retire();
    await own.look();
    expect(renewed).toEqual([...NAMES, 'join API']);
    expect(splitPem(await readFile(paths.joinApi.cert, 'utf8')).at(-1)).toBe(current);
  });

  it('says once which certificate it cannot keep, and what to do, and keeps the others', async () => {
    await writeCertificateFile(paths.clients.root.cert, 'half');
    clock.advance(HOUR_MS / 2 + HOUR_MS / 12);
    await own.look();
    await own.look();
    expect(renewed).toHaveLength(7);
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
    expect(own.list().find(({ name }) => name === 'root')?.problem).toMatchObject({
      code: 'CERTIFICATE_UNREADABLE',
      object: paths.clients.root.cert,
    });
  });

  it('tells of a certificate that cannot be renewed when it is late, and when it is over', async () => {
    await own.look();
    await rm(paths.ca.key);
    clock.advance(HOUR_MS / 2 + HOUR_MS / 12);
    const codes = async (): Promise<(string | undefined)[]> => {
      await own.look();
      return [...new Set(own.list().map(({ problem }) => problem?.code))];
    };
    expect(await codes()).toEqual(['KEY_FILE_MISSING']);
    clock.advance(HOUR_MS / 4);
    expect(await codes()).toEqual(['CERTIFICATE_RENEWAL']);
    clock.advance(HOUR_MS);
    expect(await codes()).toEqual(['CERTIFICATE_EXPIRED']);
    expect(own.list()[0]?.problem?.action).toContain('isthmus cluster init');
  });
});

import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, ManualClock, systemClock } from '@isthmus/core';
import type { Log } from '../../log.ts';
import type { RemoteConfig } from '../remote-config.ts';
import { RemoteConfigDirectory } from './remote-config-directory.ts';

const YAML = (host: string): string => `endpoints:\n- https://${host}:2379\n`;

describe('RemoteConfigDirectory', () => {
  let root: string;
  let folder: string;
  let stop: AbortController;
  let running: Promise<void>;
  let sets: (readonly RemoteConfig[])[];
  let errors: string[];
  let told: () => void;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'isthmus-remotes-'));
    folder = join(root, 'clustermesh');
    await mkdir(folder);
    [stop, sets, errors, told] = [new AbortController(), [], [], () => undefined];
    running = Promise.resolve();
  });
  afterEach(async () => {
    stop.abort();
    await running;
    await rm(root, { recursive: true, force: true });
  });

  const watch = (clock: Clock = systemClock): void => {
    const log = { error: (fields: object, message: string) => void errors.push(`${message} ${JSON.stringify(fields)}`) } as unknown as Log;
    const directory = new RemoteConfigDirectory({ folder, own: 'east', clock, log });
    running = directory.watch((configs) => {
      sets.push(configs);
      told();
    }, stop.signal);
  };
  const names = (): string[] => (sets.at(-1) ?? []).map(({ name }) => name);
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => (told = resolve));
  };

  it('tells the clusters whose files hold a configuration, with the number and the pod networks that they joined with', async () => {
    await writeFile(join(folder, 'west'), YAML('west.mesh.cilium.io'));
    await writeFile(
      join(folder, 'west.peer.json'),
      JSON.stringify({ name: 'west', id: 7, podCIDRs: ['10.7.0.0/16'], endpoints: ['https://x:1'] }),
    );
    await writeFile(join(folder, 'west.etcd-client.crt'), 'certificate');
    await writeFile(join(folder, 'north'), YAML('192.0.2.3'));
    await writeFile(join(folder, 'east'), YAML('own'));
    await writeFile(join(folder, 'Bad_Name'), YAML('bad'));
    await writeFile(join(folder, 'notes'), 'nothing of interest');
    watch();
    await until(() => sets.length > 0);
    expect(sets[0]).toMatchObject([
      { name: 'north', id: 0, podCidrs: [], etcd: { endpoints: ['https://192.0.2.3:2379'] } },
      { name: 'west', id: 7, podCidrs: ['10.7.0.0/16'], etcd: { endpoints: ['https://west.mesh.cilium.io:2379'] } },
    ]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain('Bad_Name');
  });

  it('notices what is added, changed and removed', async () => {
    watch();
    await until(() => sets.length === 1);
    expect(names()).toEqual([]);
    await writeFile(join(folder, '.new'), YAML('192.0.2.1'));
    await rename(join(folder, '.new'), join(folder, 'west'));
    await until(() => names().join() === 'west');
    const { digest } = sets.at(-1)![0]!;
    await writeFile(join(folder, '.new'), YAML('192.0.2.2'));
    await rename(join(folder, '.new'), join(folder, 'west'));
    await until(() => sets.at(-1)![0]?.digest !== digest);
    await unlink(join(folder, 'west'));
    await until(() => names().length === 0);
  });

  it("reads the remote's CAs, and notices others", async () => {
    const ca = join(root, 'ca.crt');
    await writeFile(join(folder, 'west'), `${YAML('192.0.2.1')}trusted-ca-file: ${ca}\n`);
    const clock = new ManualClock();
    watch(clock);
    await until(() => sets.length === 1);
    expect(sets[0]![0]!.caBundle).toBe('');
    await writeFile(ca, 'another CA');
    while (sets.length === 1) {
      clock.advance(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([sets[1]![0]!.caBundle, sets[1]![0]!.digest]).toEqual(['another CA', sets[0]![0]!.digest]);
  });

  it('follows links that are switched, as in a mounted Secret', async () => {
    for (const [version, host] of [
      ['..v1', '192.0.2.1'],
      ['..v2', '192.0.2.2'],
    ] as const) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'west'), YAML(host));
    }
    await symlink('..v1', join(folder, '..data'));
    await symlink('..data/west', join(folder, 'west'));
    watch();
    await until(() => names().join() === 'west');
    await symlink('..v2', join(folder, '..tmp'));
    await rename(join(folder, '..tmp'), join(folder, '..data'));
    await until(() => sets.at(-1)![0]?.etcd?.endpoints[0] === 'https://192.0.2.2:2379');
    expect(sets.every((set) => set.length === 1)).toBe(true);
  });

  it('keeps a cluster whose configuration broke, and says why', async () => {
    await writeFile(join(folder, 'west'), 'endpoints: no list');
    watch();
    await until(() => sets.length > 0);
    expect(sets[0]).toMatchObject([{ name: 'west', etcd: undefined, problem: { code: 'KV_CONFIG' } }]);
  });

  it('makes the folder at the start; when it vanishes later nothing is taken for removed', async () => {
    await rm(folder, { recursive: true });
    const clock = new ManualClock();
    watch(clock);
    await until(() => sets.length === 1);
    await writeFile(join(folder, 'west'), YAML('192.0.2.1'));
    await until(() => names().join() === 'west');
    const before = sets.length;
    await rename(folder, join(root, 'away'));
    while (errors.length === 0) {
      clock.advance(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sets.slice(before)).toEqual([]);
    expect(errors[0]).toContain('cannot be read');
  });
});

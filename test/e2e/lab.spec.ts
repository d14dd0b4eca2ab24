import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterFiles, ETCD_PORT, Lab, leftovers, loadTopology, ping, startTime, waitUntil } from '@isthmus/lab';

const ONE = 'e2eone';
const TWO = 'e2etwo';
const CRASHED = 'e2ecrash';
const MINUTE_MS = 60_000;

afterAll(async () => {
  for (const name of [ONE, TWO, CRASHED]) await Lab.down(name);
}, MINUTE_MS);

function commandUp(name: string): ChildProcess {
  return spawn('scripts/with-node', ['--conditions=isthmus:source', 'lab/src/main.ts', 'up', '--name', name], { stdio: 'ignore' });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('close', () => resolve()));
}

function mountTable(): string {
  return readFileSync('/proc/self/mounts', 'utf8');
}

describe('two labs side by side', () => {
  let one: Lab;
  let two: Lab;

  beforeAll(async () => {
    one = await Lab.up('two-clusters', { name: ONE, through: 'etcd' });
    two = await Lab.up('two-clusters', { name: TWO, through: 'etcd' });
  }, MINUTE_MS);

  it('route between their clusters, and not between labs with the same addresses', async () => {
    const { addresses } = one.node('west', 'n2');
    expect(await ping(one, one.place('east/n1'), addresses.ipv4, { size: 1472 })).toBe(true);
    expect(await ping(one, one.place('east/n1'), addresses.ipv6, { size: 1452 })).toBe(true);
    expect(await ping(one, one.place('east/n1'), addresses.ipv4, { size: 1473 })).toBe(false);
    await one.exec('west/n2', ['ip', 'link', 'set', 'eth0', 'down']);
    expect(await ping(one, one.place('east/n1'), addresses.ipv4, { timeoutS: 1 })).toBe(false);
    expect(await ping(two, two.place('east/n1'), addresses.ipv4)).toBe(true);
  });

  it('show a node its own devices, pins, cgroup, host name and /run, and the namespaces of the machine', async () => {
    const { stdout } = await one.exec('east/n1', [
      'sh',
      '-c',
      'hostname; ls /sys/class/net; ls -A /sys/fs/bpf; cat /proc/self/cgroup | grep ^0; ls /run; ls /run/netns',
    ]);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 4)).toEqual(['east-n1', 'eth0', 'lo', '0::/']);
    expect(lines).toContain('isthmus-e2eone-east-a1');
    expect(lines).not.toContain('isthmus-lab');
    const pod = await one.exec('east/a1', ['sh', '-c', 'hostname; grep ^0 /proc/self/cgroup']);
    expect(pod.stdout).toBe('east-a1\n0::/isthmus-lab-e2eone/east-n1/pods/a1\n');
  });

  it('keep what a node writes to its /run, and show a node the namespaces that came later', async () => {
    await one.exec('east/n2', ['sh', '-c', 'echo kept >/run/file']);
    expect((await one.exec('east/n2', ['cat', '/run/file'])).stdout).toBe('kept\n');
    expect(readFileSync(join(one.node('east', 'n2').run, 'file'), 'utf8')).toBe('kept\n');
    const watch = 'echo started; until nsenter --net=/run/netns/isthmus-e2eone-later true 2>/dev/null; do :; done; echo seen';
    const { log } = one.processes.start({ id: 'east/n2/watcher', place: one.place('east/n2'), argv: ['sh', '-c', watch] });
    const logged = (word: string): Promise<boolean> =>
      waitUntil(() => readFileSync(log, 'utf8').includes(word), { what: `the node to say ${word}`, timeoutMs: 5_000 });
    await logged('started');
    execFileSync('ip', ['netns', 'add', 'isthmus-e2eone-later']);
    await logged('seen');
  });

  it('let only bearers of a certificate speak to an etcd', async () => {
    const { ca, clients } = clusterFiles(one.cluster('east')).pki;
    const status = async (certificate: string[]): Promise<number> => {
      const argv = [
        'etcdctl',
        'get',
        'x',
        '--endpoints',
        `https://127.0.0.1:${ETCD_PORT}`,
        '--cacert',
        ca.cert,
        '--command-timeout',
        '2s',
        ...certificate,
      ];
      return (await one.exec('east', argv, { env: { ETCDCTL_API: '3' } })).status;
    };
    expect(await status(['--cert', clients.root.cert, '--key', clients.root.key])).toBe(0);
    expect(await status([])).not.toBe(0);
  });

  it('stop exactly the process that was started', async () => {
    await one.processes.stop('east/etcd', 'SIGKILL');
    expect(one.processes.isAlive('east/etcd')).toBe(false);
    expect(two.processes.isAlive('east/etcd')).toBe(true);
  });

  it(
    'go without a trace, each alone',
    async () => {
      await Lab.down(ONE);
      expect(leftovers(ONE)).toEqual([]);
      expect(two.processes.isAlive('east/etcd')).toBe(true);
      await Lab.down(TWO);
      expect(leftovers(TWO)).toEqual([]);
      expect(mountTable()).not.toContain(ONE);
    },
    MINUTE_MS,
  );

  it('can be taken down when they are not there', async () => {
    await Lab.down(ONE);
  });
});

describe('a lab that crashed', () => {
  it(
    'goes without a trace when its command was killed half-way',
    async () => {
      const child = commandUp(CRASHED);
      await waitUntil(() => existsSync('/run/netns/isthmus-e2ecrash-west-n2'), { what: 'half a lab', timeoutMs: 30_000, everyMs: 1 });
      child.kill('SIGKILL');
      await ended(child);
      expect(leftovers(CRASHED)).not.toEqual([]);
      await Lab.down(CRASHED);
      expect(leftovers(CRASHED)).toEqual([]);
    },
    MINUTE_MS,
  );

  it(
    'goes without a trace when its state is lost, and a process has left its cgroup',
    async () => {
      const lab = await Lab.up('two-clusters', { name: CRASHED, through: 'etcd' });
      const { pid } = lab.processes.get('east/etcd');
      const root =
        readFileSync('/proc/self/mounts', 'utf8')
          .split('\n')
          .find((line) => line.includes(' cgroup2 '))
          ?.split(' ')[1] ?? '';
      writeFileSync(join(root, 'cgroup.procs'), String(pid));
      writeFileSync(join(lab.plan.paths.state, 'lab.json'), '');
      expect(leftovers(CRASHED).some(({ kind, name }) => kind === 'process' && name.startsWith(`${pid} `))).toBe(true);
      await Lab.down(CRASHED);
      expect(leftovers(CRASHED)).toEqual([]);
      expect(lab.processes.list()).toEqual([]);
    },
    MINUTE_MS,
  );

  it(
    'is built anew when it is brought up again, and left as it is when it is whole',
    async () => {
      const topology = loadTopology('two-clusters');
      await Lab.up(topology, { name: CRASHED, through: 'machine' });
      const lines: string[] = [];
      const lab = await Lab.up(topology, { name: CRASHED, progress: (line) => lines.push(line) });
      expect(lines).not.toContain(`lab ${CRASHED} is up already`);
      const { pid } = lab.processes.get('east/etcd');
      const again = await Lab.up(topology, { name: CRASHED });
      expect(again.processes.get('east/etcd').pid).toBe(pid);
    },
    MINUTE_MS,
  );

  it(
    "is not changed by two commands at once, but a lock whose holder died is nobody's",
    async () => {
      const lock = `/run/isthmus-lab-${CRASHED}.lock`;
      writeFileSync(lock, `${process.pid} ${startTime(process.pid)}`);
      await expect(Lab.down(CRASHED)).rejects.toMatchObject({ code: 'LAB_BUSY' });
      writeFileSync(lock, `${process.pid} 1`);
      await Lab.down(CRASHED);
      expect(existsSync(lock)).toBe(false);
    },
    MINUTE_MS,
  );
});

import { FakeCli } from '../testing/fake-cli.ts';
import { fakeHost } from '../testing/fake-host.ts';

let cli: FakeCli;

beforeEach(() => {
  cli = new FakeCli();
});

async function report(): Promise<{ ok: boolean; features: { name: string; state: string; detail: string; action: string }[] }> {
  await cli.run('preflight', '-o', 'json');
  return JSON.parse(cli.out);
}

async function feature(name: RegExp): Promise<{ state: string; detail: string; action: string }> {
  return (await report()).features.find((each) => name.test(each.name))!;
}

it('finds nothing wrong on a machine that has everything', async () => {
  expect(await cli.run('preflight')).toBe(0);
  expect(cli.out).not.toContain('what to do');
  expect((await report()).features.every(({ state }) => state === 'yes')).toBe(true);
});

it('ends with 1 and names what is missing for a user without rights', async () => {
  cli.host = fakeHost({
    files: { '/proc/self/status': 'CapEff:\t0000000000000000\n' },
    tryIp: () => ({ status: 1, said: 'unshare: Operation not permitted' }),
  });
  expect(await cli.run('preflight')).toBe(1);
  expect(cli.err).toContain('CLI_PREFLIGHT: the agent cannot run here without: user may load BPF programs, user may change the network');
  expect(cli.out).toContain('user may change the network: Run as root, or give the agent CAP_NET_ADMIN.\n');
  expect(await feature(/VXLAN/)).toMatchObject({ state: 'unknown', action: 'Run as root to find out.' });
});

it.each([
  ['is not shown in a network namespace', { exists: (path: string) => !path.includes('bpf_jit') }, "the machine's own network namespace"],
  [
    'may not be read by this user',
    { exists: () => true, read: (path: string) => (path.includes('bpf_jit') ? undefined : '') },
    'Run as root.',
  ],
])('tells a JIT setting that %s from one that is off', async (_, changes, action) => {
  cli.host = fakeHost(changes);
  expect(await feature(/JIT/)).toMatchObject({ state: 'unknown', action: expect.stringContaining(action) });
});

it('takes CAP_SYS_ADMIN for CAP_BPF', async () => {
  cli.host = fakeHost({ files: { '/proc/self/status': `CapEff:\t${((1n << 21n) | (1n << 12n)).toString(16)}\n` } });
  expect(await cli.run('preflight')).toBe(0);
});

it.each([
  [
    'libbpf',
    /libbpf/,
    {
      requireLibbpf: () => {
        throw new Error('cannot load libbpf.so.1');
      },
    },
    'libbpf1',
  ],
  ['the BPF file system', /BPF file/, { fileSystemType: () => 0x1021994 }, 'mount -t bpf'],
  ['cgroup2', /cgroup2/, { files: { '/proc/self/mounts': 'tmpfs /run tmpfs rw 0 0\n' } }, 'mount -t cgroup2'],
  [
    'VXLAN',
    /VXLAN/,
    { tryIp: (...args: readonly string[]) => ({ status: args.includes('vxlan') ? 2 : 0, said: 'Error: Unknown device type.' }) },
    'modprobe vxlan',
  ],
  ['the tunnel port', /UDP port 8472/, { files: { '/proc/net/udp6': '1: 00000000000000000000000000000000:2118 0:0 07\n' } }, 'tunnel-port'],
  [
    'the tunnel port, which the own device may have lost',
    /UDP port 8472/,
    { files: { '/proc/net/udp': '1: 00000000:2118 00000000:0000 07\n', '/sys/class/net/isth_vxlan/operstate': 'down\n' } },
    'tunnel-port',
  ],
])('cannot do without %s', async (_, name, changes, advice) => {
  cli.host = fakeHost(changes as object);
  expect(await cli.run('preflight')).toBe(1);
  expect(await feature(name)).toMatchObject({ state: 'no', action: expect.stringContaining(advice) });
});

it('can do without what it has another way for', async () => {
  cli.host = fakeHost({
    hasTcx: () => false,
    canDestroySockets: () => false,
    tryIp: (...args) => ({ status: args.some((word) => ['geneve', 'wireguard'].includes(word)) ? 2 : 0, said: '' }),
    hasProgram: (name) => name === 'wireguard-go',
    files: { '/proc/net/udp': '1: 00000000:2118 00000000:0000 07\n', '/sys/class/net/isth_vxlan/operstate': 'unknown\n' },
  });
  expect(await cli.run('preflight')).toBe(0);
  expect(await feature(/TCX/)).toMatchObject({ state: 'no', detail: expect.stringContaining('clsact') });
  expect(await feature(/WireGuard/)).toMatchObject({ state: 'yes', detail: expect.stringContaining('wireguard-go') });
  expect(await feature(/UDP port/)).toMatchObject({ state: 'yes', detail: 'isth_vxlan uses it' });
});

it('looks for what GENEVE needs: its own port, and no device', async () => {
  cli.host = fakeHost({
    tryIp: (...args) => ({ status: args.some((word) => ['geneve', 'vxlan'].includes(word)) ? 2 : 0, said: 'Error: Unknown device type.' }),
    files: { '/proc/net/udp': '1: 00000000:2118 00000000:0000 07\n' },
  });
  expect(await cli.run('preflight', '--tunnel-protocol', 'geneve')).toBe(0);
  expect(await feature(/GENEVE/)).toMatchObject({ state: 'yes', detail: expect.stringContaining('XDP') });
  cli.host = fakeHost({ files: { '/proc/net/udp': '1: 00000000:17C1 00000000:0000 07\n' } });
  expect(await cli.run('preflight', '--tunnel-protocol', 'geneve')).toBe(1);
  expect(cli.out).toContain('UDP port 6081 for the tunnel: Find out who');
  expect(await cli.run('preflight', '--tunnel-protocol', 'geneve', '--tunnel-port', '7000')).toBe(0);
});

it('says what it could not find out', async () => {
  cli.host = fakeHost({
    hasTcx: () => {
      throw new Error('bpf: EPERM');
    },
    tryIp: () => ({ status: undefined, said: '' }),
  });
  expect(await cli.run('preflight')).toBe(0);
  expect(await feature(/TCX/)).toMatchObject({ state: 'unknown', detail: 'bpf: EPERM' });
  expect(await feature(/veth/)).toMatchObject({ state: 'unknown', action: expect.stringContaining('iproute2') });
});

import { examine } from '../preflight/feature.ts';
import type { Host } from '../preflight/host.ts';
import { KERNEL_FEATURES } from '../preflight/kernel-features.ts';
import { type PlannedTunnel, tunnelFeatures } from '../preflight/tunnel-features.ts';
import { USER_FEATURES } from '../preflight/user-features.ts';
import { type DumpFile, type DumpPart, jsonFile } from './dump-part.ts';
import type { Machine } from './machine.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** What each command is for, and the command. One whose program is missing is left out when it is marked so. */
const COMMANDS: readonly { readonly file: string; readonly argv: readonly string[]; readonly optional?: true }[] = [
  { file: 'links', argv: ['ip', '-details', '-statistics', 'link', 'show'] },
  { file: 'addresses', argv: ['ip', 'address', 'show'] },
  { file: 'routes-ipv4', argv: ['ip', '-details', 'route', 'show', 'table', 'all'] },
  { file: 'routes-ipv6', argv: ['ip', '-6', '-details', 'route', 'show', 'table', 'all'] },
  { file: 'rules-ipv4', argv: ['ip', 'rule', 'show'] },
  { file: 'rules-ipv6', argv: ['ip', '-6', 'rule', 'show'] },
  { file: 'neighbours', argv: ['ip', '-statistics', 'neighbour', 'show'] },
  { file: 'listening-sockets', argv: ['ss', '--numeric', '--listening', '--tcp', '--udp', '--processes'] },
  { file: 'kernel', argv: ['uname', '-a'] },
  { file: 'disks', argv: ['df', '-h'] },
  { file: 'bpf-programs', argv: ['bpftool', 'prog', 'show'], optional: true },
  { file: 'bpf-maps', argv: ['bpftool', 'map', 'show'], optional: true },
  { file: 'bpf-attachments', argv: ['bpftool', 'net', 'show'], optional: true },
];

/** Files of the system that say what kind of machine it is, and how it does. Kernels differ in which of them they have. */
const FILES: readonly (readonly [file: string, path: string])[] = [
  ['os-release', '/etc/os-release'],
  ['cpus', '/proc/cpuinfo'],
  ['memory', '/proc/meminfo'],
  ['load', '/proc/loadavg'],
  ['uptime', '/proc/uptime'],
  ['mounts', '/proc/self/mounts'],
  ['modules', '/proc/modules'],
  ['pressure-cpu', '/proc/pressure/cpu'],
];

/** Settings of the kernel that decide whether packets get anywhere. By name: among all of them there are secrets. */
const SYSCTLS = [
  'kernel/unprivileged_bpf_disabled',
  'net/core/bpf_jit_enable',
  'net/ipv4/conf/all/rp_filter',
  'net/ipv4/conf/default/rp_filter',
  'net/ipv4/ip_forward',
  'net/ipv4/ip_local_port_range',
  'net/ipv6/conf/all/disable_ipv6',
  'net/ipv6/conf/all/forwarding',
];

/** What the machine is, and what its network looks like. */
export function machinePart(machine: Machine, host: Host, options: { tunnel: PlannedTunnel; bpfRoot: string }): DumpPart {
  return {
    name: 'this machine',
    files: async () => [
      jsonFile('machine/versions.json', async () => machine.versions()),
      jsonFile('machine/preflight.json', async () =>
        examine(host, [...USER_FEATURES, ...KERNEL_FEATURES, ...tunnelFeatures(options.tunnel)]),
      ),
      ...COMMANDS.filter(({ argv, optional }) => !optional || machine.hasProgram(argv[0] as string)).map(
        ({ file, argv }): DumpFile => ({ path: `machine/${file}.txt`, read: () => machine.run(argv) }),
      ),
      ...FILES.filter(([, path]) => machine.exists(path)).map(
        ([file, path]): DumpFile => ({ path: `machine/${file}.txt`, read: () => machine.readEnd(path, MAX_BYTES) }),
      ),
      { path: 'machine/sysctl.txt', read: async () => sysctls(host) },
      { path: 'machine/pins.txt', read: () => machine.tree(options.bpfRoot) },
    ],
  };
}

function sysctls(host: Host): string {
  return SYSCTLS.map((name) => `${name.replaceAll('/', '.')} = ${host.read(`/proc/sys/${name}`)?.trim() ?? '(cannot be read)'}\n`).join('');
}

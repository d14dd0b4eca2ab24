import { messageOf } from '@isthmus/core';
import { type Feature, type Finding, missing, present, unknown } from './feature.ts';
import type { Host } from './host.ts';

/** Type of a mounted BPF file system, from magic.h of the kernel. */
const BPF_FS = 0xcafe4a11;

/** What the kernel and its mounts must have for the programs. */
export const KERNEL_FEATURES: readonly Feature[] = [
  { name: 'libbpf', required: true, check: libbpf },
  { name: 'BPF type information (BTF)', required: true, check: btf },
  { name: 'BPF file system', required: true, check: bpfMount },
  { name: 'cgroup2', required: true, check: cgroup2 },
  { name: 'BPF JIT compiler', required: false, check: jit },
  { name: 'TCX', required: false, check: tcx },
  { name: 'closing of sockets', required: false, check: destroy },
];

const JIT = '/proc/sys/net/core/bpf_jit_enable';

function libbpf(host: Host): Finding {
  try {
    host.requireLibbpf();
    return present('libbpf.so.1');
  } catch (error) {
    return missing(messageOf(error), 'Install libbpf 1.x; on Debian the package is libbpf1.');
  }
}

function btf(host: Host): Finding {
  return host.exists('/sys/kernel/btf/vmlinux')
    ? present('/sys/kernel/btf/vmlinux')
    : missing('/sys/kernel/btf/vmlinux is not there', 'Use a kernel with CONFIG_DEBUG_INFO_BTF=y, and mount /sys.');
}

function bpfMount(host: Host): Finding {
  return host.fileSystemType('/sys/fs/bpf') === BPF_FS
    ? present('/sys/fs/bpf')
    : missing('/sys/fs/bpf is no BPF file system', 'Mount one: "mount -t bpf bpf /sys/fs/bpf"; or set bpf-root to a folder on one.');
}

function cgroup2(host: Host): Finding {
  const mount = (host.read('/proc/self/mounts') ?? '').split('\n').find((line) => line.split(' ')[2] === 'cgroup2');
  const path = mount?.split(' ')[1];
  return path === undefined
    ? missing('there is no cgroup2 mount', 'Mount one: "mount -t cgroup2 cgroup2 /sys/fs/cgroup"; or set cgroup-root.')
    : present(path);
}

function jit(host: Host): Finding {
  // Only the machine's own network namespace has the setting, and only its root may read it.
  if (!host.exists(JIT)) return unknown('net.core.bpf_jit_enable is not shown here', "Look in the machine's own network namespace.");
  const value = host.read(JIT)?.trim();
  if (value === undefined) return unknown('net.core.bpf_jit_enable cannot be read', 'Run as root.');
  return value === '0'
    ? missing('it is off: programs run several times slower', 'Run "sysctl -w net.core.bpf_jit_enable=1".')
    : present('it is on');
}

function tcx(host: Host): Finding {
  try {
    if (host.hasTcx()) return present('programs are attached by pinned links');
    return missing(
      'clsact is used instead: programs go when their device does',
      'Use kernel 6.6 or newer for restarts without a gap in every case.',
    );
  } catch (error) {
    return unknown(messageOf(error), 'Run as root to find out.');
  }
}

function destroy(host: Host): Finding {
  try {
    if (host.canDestroySockets()) return present('sockets to a backend that goes are closed at once');
    return missing('clients of a backend that goes wait for their own timeout', 'Use a kernel with CONFIG_INET_DIAG_DESTROY=y.');
  } catch (error) {
    return unknown(messageOf(error), 'Run as root to find out.');
  }
}

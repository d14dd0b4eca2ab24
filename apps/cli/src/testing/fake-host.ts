import type { Host } from '../preflight/host.ts';

/** A machine that has everything; tests take away what they are about. */
export function fakeHost(changes: Partial<Host> & { files?: Readonly<Record<string, string>> } = {}): Host {
  const files: Readonly<Record<string, string>> = {
    '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
    '/proc/self/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
    '/proc/sys/net/core/bpf_jit_enable': '1\n',
    '/proc/net/udp': '   sl  local_address rem_address\n  1: 00000000:0044 00000000:0000 07\n',
    '/proc/net/if_inet6': '',
    '/sys/kernel/btf/vmlinux': '',
    ...changes.files,
  };
  return {
    read: (path) => files[path],
    exists: (path) => path in files,
    fileSystemType: () => 0xcafe4a11,
    hasProgram: () => false,
    tryIp: () => ({ status: 0, said: '' }),
    hasTcx: () => true,
    canDestroySockets: () => true,
    requireLibbpf: () => undefined,
    ...changes,
  };
}

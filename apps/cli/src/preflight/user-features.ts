import { type Feature, type Finding, missing, present, unknown } from './feature.ts';
import type { Host } from './host.ts';

/** Bits of a capability set, from capability.h of the kernel. */
const CAPABILITY = { netAdmin: 12, sysAdmin: 21, bpf: 39 } as const;

/** What the user may do. */
export const USER_FEATURES: readonly Feature[] = [
  { name: 'user may load BPF programs', required: true, check: (host) => capability(host, 'CAP_BPF', CAPABILITY.bpf) },
  { name: 'user may change the network', required: true, check: (host) => capability(host, 'CAP_NET_ADMIN', CAPABILITY.netAdmin) },
  { name: 'user may enter namespaces', required: true, check: (host) => capability(host, 'CAP_SYS_ADMIN', CAPABILITY.sysAdmin) },
];

function capability(host: Host, name: string, bit: number): Finding {
  const set = /^CapEff:\s*([0-9a-f]+)$/m.exec(host.read('/proc/self/status') ?? '')?.[1];
  if (set === undefined) return unknown('/proc/self/status does not say', 'Mount /proc.');
  const held = BigInt(`0x${set}`);
  const has = (wanted: number): boolean => ((held >> BigInt(wanted)) & 1n) === 1n;
  // CAP_SYS_ADMIN stands for CAP_BPF as well, as it did before there was one.
  if (has(bit) || (bit === CAPABILITY.bpf && has(CAPABILITY.sysAdmin))) return present(name);
  return missing(`${name} is missing`, `Run as root, or give the agent ${name}.`);
}

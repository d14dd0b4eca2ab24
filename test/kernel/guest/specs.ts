/** Tests that run in the machine, in this order: of the BPF tier all that means something on an old kernel, then those of its own. */
export const SPECS = [
  'test/kernel/guest/attach.spec.ts',
  'test/kernel/guest/encrypt.spec.ts',
  'bpf/tests/pod.spec.ts',
  'bpf/tests/tunnel-port.spec.ts',
  'bpf/tests/host.spec.ts',
  'bpf/tests/overlay.spec.ts',
  'bpf/tests/netdev.spec.ts',
  'bpf/tests/closed-peer.spec.ts',
  'bpf/tests/egress.spec.ts',
  'bpf/tests/unencrypted.spec.ts',
  'bpf/tests/sock.spec.ts',
  'bpf/tests/geneve-encap.spec.ts',
  'bpf/tests/geneve-decap.spec.ts',
  'bpf/tests/xdp-link.spec.ts',
  'bpf/tests/netlink-tunnel.spec.ts',
  'test/kernel/guest/tunnels.spec.ts',
] as const;

import { CodedError } from '@isthmus/core';
import { BPF_ATTACH, SystemCallError } from './bpf-error.ts';
import { libbpf } from './libbpf.ts';
import { captureLog } from './verifier-log.ts';

const EEXIST = 17;
const ENOENT = 2;
const EINVAL = 22;
/** `enum bpf_tc_attach_point`. */
const POINTS = { ingress: 1, egress: 2 } as const;
const FLAG_REPLACE = 1;
const HANDLE = 1;
const PRIORITY = 1;
const HOOK_BYTES = 24;
const OPTIONS_BYTES = 40;

/** Which way packets go, seen from the device. */
export type DevicePoint = keyof typeof POINTS;

/** Attaches to the clsact qdisc, replacing what this handle held. @throws CodedError BPF_ATTACH */
export function attachClsact(ifindex: number, programFd: number, point: DevicePoint): void {
  // libbpf warns when the qdisc is there; that is what we want.
  captureLog(() => {
    const created = libbpf().hookCreate(hook(ifindex, point));
    if (created < 0 && created !== -EEXIST) throw failed('clsact', ifindex, created);
    const attached = libbpf().hookAttach(hook(ifindex, point), options(programFd, FLAG_REPLACE));
    if (attached < 0) throw failed('tc filter', ifindex, attached);
  });
}

/** Detaches it. An absent filter, qdisc or device is fine. @throws CodedError BPF_ATTACH */
export function detachClsact(ifindex: number, point: DevicePoint): void {
  captureLog(() => {
    const code = libbpf().hookDetach(hook(ifindex, point), options(0, 0));
    if (code < 0 && code !== -ENOENT && code !== -EINVAL) throw failed('tc filter', ifindex, code);
  });
}

/** `struct bpf_tc_hook`. */
function hook(ifindex: number, point: DevicePoint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(HOOK_BYTES));
  bytes.setBigUint64(0, BigInt(HOOK_BYTES), true);
  bytes.setInt32(8, ifindex, true);
  bytes.setUint32(12, POINTS[point], true);
  return new Uint8Array(bytes.buffer);
}

/** `struct bpf_tc_opts`. */
function options(programFd: number, flags: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(OPTIONS_BYTES));
  bytes.setBigUint64(0, BigInt(OPTIONS_BYTES), true);
  bytes.setInt32(8, programFd, true);
  bytes.setUint32(12, flags, true);
  bytes.setUint32(20, HANDLE, true);
  bytes.setUint32(24, PRIORITY, true);
  return new Uint8Array(bytes.buffer);
}

function failed(what: string, ifindex: number, code: number): CodedError {
  const cause = new SystemCallError(what, code);
  return new CodedError(BPF_ATTACH, `device ${ifindex}: ${cause.message}`, { object: `device ${ifindex}`, cause });
}

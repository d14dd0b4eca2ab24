import { errnoOf } from './bpf-error.ts';
import { libbpf } from './libbpf.ts';
import { AttachType, attribute, BpfCommand, bpf } from './syscall.ts';

const EINVAL = 22;
/** Every network namespace has its loopback device under this index. */
const LOOPBACK = 1;

/**
 * Asks the kernel what is attached to the loopback device by TCX: one that does not know TCX refuses the question.
 * @throws SystemCallError when the process may not ask (EPERM)
 */
export function kernelHasTcx(): boolean {
  const attr = attribute();
  attr.setUint32(0, LOOPBACK, true);
  attr.setUint32(4, AttachType.tcxIngress, true);
  try {
    bpf(BpfCommand.progQuery, attr);
    return true;
  } catch (error) {
    if (errnoOf(error) === EINVAL) return false;
    throw error;
  }
}

/** Loads libbpf, for nothing else than to see that it is there. @throws CodedError LIBBPF_MISSING */
export function requireLibbpf(): void {
  libbpf();
}

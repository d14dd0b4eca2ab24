import koffi from 'koffi';
import { SystemCallError } from './bpf-error.ts';
import { libbpf } from './libbpf.ts';
import { holding } from './syscall.ts';

const OPTIONS_BYTES = 80;
const ROOM = 4096;
/** `struct __sk_buff` as this kernel interface of 6.1 has it. */
const CONTEXT_BYTES = 192;
const CONTEXT_MARK = 8;
const CONTEXT_IFINDEX = 40;
const CONTEXT_GSO_SIZE = 176;

/** What a packet comes with. */
export interface TestContext {
  ifindex?: number;
  mark?: number;
  gsoSize?: number;
}

/** What a program made of a packet. */
export interface TestResult {
  verdict: number;
  packet: Uint8Array;
  mark: number;
}

/**
 * Runs a tc program once on a packet (BPF_PROG_TEST_RUN), without a device. `ifindex` must be that of a device in the current network
 * namespace. Redirect targets and tunnel keys are not visible, only the verdict.
 * @throws SystemCallError
 */
export function testRun(programFd: number, packet: Uint8Array, context: TestContext = {}): TestResult {
  const contextIn = contextBytes(context);
  const contextOut = new Uint8Array(CONTEXT_BYTES);
  const result = run(programFd, packet, [contextIn, contextOut], (options) => {
    options.setBigUint64(32, koffi.address(contextIn), true);
    options.setBigUint64(40, koffi.address(contextOut), true);
    options.setUint32(48, CONTEXT_BYTES, true);
    options.setUint32(52, CONTEXT_BYTES, true);
  });
  return { ...result, mark: new DataView(contextOut.buffer).getUint32(CONTEXT_MARK, true) };
}

/** The same for an XDP program: its frame comes from the loopback device. @throws SystemCallError */
export function testRunXdp(programFd: number, frame: Uint8Array): Omit<TestResult, 'mark'> {
  return run(programFd, frame, [], () => undefined);
}

function run(fd: number, packet: Uint8Array, held: readonly Uint8Array[], fill: (options: DataView) => void): Omit<TestResult, 'mark'> {
  const out = new Uint8Array(ROOM);
  const options = new DataView(new ArrayBuffer(OPTIONS_BYTES));
  options.setBigUint64(0, BigInt(OPTIONS_BYTES), true);
  options.setBigUint64(8, koffi.address(packet), true);
  options.setBigUint64(16, koffi.address(out), true);
  options.setUint32(24, packet.length, true);
  options.setUint32(28, out.length, true);
  options.setInt32(60, 1, true);
  fill(options);
  const code = holding([packet, out, ...held], () => libbpf().testRun(fd, new Uint8Array(options.buffer)));
  if (code < 0) throw new SystemCallError('bpf_prog_test_run', code);
  return { verdict: options.getInt32(56, true), packet: out.slice(0, options.getUint32(28, true)) };
}

function contextBytes(context: TestContext): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(CONTEXT_BYTES));
  bytes.setUint32(CONTEXT_MARK, context.mark ?? 0, true);
  bytes.setUint32(CONTEXT_IFINDEX, context.ifindex ?? 0, true);
  bytes.setUint32(CONTEXT_GSO_SIZE, context.gsoSize ?? 0, true);
  return new Uint8Array(bytes.buffer);
}

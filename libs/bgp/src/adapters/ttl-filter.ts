import { addressBytes } from '@isthmus/net';

/** Size of `struct sock_filter`, linux/filter.h. */
const INSTRUCTION = 8;
/** Loads from here on are relative to the network header, SKF_NET_OFF of linux/filter.h. */
const NETWORK_HEADER = -0x100000;
/** BPF_LD|BPF_B|BPF_ABS, BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K. */
const [LOAD_BYTE, LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN] = [0x30, 0x20, 0x15, 0x35, 0x06];
/** What a filter answers: how many bytes of the packet are taken. */
const [TAKE, DROP] = [0xffff, 0];
/** Where the headers have TTL or hop limit, and the source, in bytes. */
const HEADER = { 4: { ttl: 8, source: 12 }, 6: { ttl: 7, source: 8 } } as const;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** A peer whose packets are taken from a TTL on. */
export interface SourceTtl {
  readonly source: string;
  readonly minTtl: number;
}

/**
 * A socket filter (classic BPF) that takes packets of the listed sources whose TTL is not too low. The kernel has no IP_MINTTL for UDP, and
 * Node tells no TTL.
 * @returns the array of `struct sock_filter`
 */
export function sourceTtlFilter(family: 4 | 6, sources: readonly SourceTtl[]): Uint8Array {
  const header = HEADER[family];
  const program = sources.flatMap(({ source, minTtl }): Instruction[] => {
    const words = new DataView(addressBytes(source).bytes.slice().buffer);
    const count = words.byteLength / 4;
    const compare = Array.from({ length: count }, (_, i): Instruction[] => [
      [LOAD_WORD, 0, 0, NETWORK_HEADER + header.source + 4 * i],
      // To the next source: over the words that are left, and the four that look at the TTL.
      [JUMP_EQUAL, 0, 2 * (count - 1 - i) + 4, words.getUint32(4 * i)],
    ]);
    return [...compare.flat(), ...ttlAtLeast(header.ttl, minTtl)];
  });
  return assemble([...program, [RETURN, 0, 0, DROP]]);
}

/** A socket filter that takes packets with a TTL that is not too low, whoever they come from. */
export function ttlFilter(family: 4 | 6, minTtl: number): Uint8Array {
  return assemble(ttlAtLeast(HEADER[family].ttl, minTtl));
}

function ttlAtLeast(offset: number, minTtl: number): Instruction[] {
  return [
    [LOAD_BYTE, 0, 0, NETWORK_HEADER + offset],
    [JUMP_AT_LEAST, 0, 1, minTtl],
    [RETURN, 0, 0, TAKE],
    [RETURN, 0, 0, DROP],
  ];
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const out = new Uint8Array(program.length * INSTRUCTION);
  const view = new DataView(out.buffer);
  program.forEach(([code, ifTrue, ifFalse, value], i) => {
    view.setUint16(i * INSTRUCTION, code, true);
    view.setUint8(i * INSTRUCTION + 2, ifTrue);
    view.setUint8(i * INSTRUCTION + 3, ifFalse);
    view.setUint32(i * INSTRUCTION + 4, value, true);
  });
  return out;
}

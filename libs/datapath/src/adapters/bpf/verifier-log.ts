import koffi from 'koffi';
import { libbpf } from './libbpf.ts';

const LINE_BYTES = 1 << 20;
const LEVEL_DEBUG = 2;

type Format = (buffer: Uint8Array, size: number, format: bigint, args: bigint) => number;

let current: string[] | undefined;
let installed = false;

/**
 * Runs `fn` and gathers what libbpf says meanwhile (warnings and the verifier's text, which libbpf would print to stderr). Outside of
 * such a section libbpf is silent.
 */
export function captureLog<T>(fn: () => T): { result: T; log: string } {
  install();
  const outer = current;
  const lines: string[] = [];
  current = lines;
  try {
    return { result: fn(), log: lines.join('') };
  } finally {
    current = outer;
  }
}

function install(): void {
  if (installed) return;
  installed = true;
  const format = koffi.load('libc.so.6').func('int vsnprintf(_Out_ void *buffer, size_t size, const void *format, void *args)') as Format;
  const buffer = Buffer.alloc(LINE_BYTES);
  const prototype = koffi.proto('int', ['int', 'void *', 'void *']);
  // A va_list arrives as a pointer on x86-64 and arm64, so libc can format it. The registration lives as long as the process.
  const callback = koffi.register((level: number, text: bigint, args: bigint) => {
    if (current === undefined || level >= LEVEL_DEBUG) return 0;
    const length = format(buffer, buffer.length, text, args);
    current.push(buffer.toString('utf8', 0, Math.min(length, buffer.length - 1)));
    return length;
  }, koffi.pointer(prototype));
  libbpf().setPrint(callback);
}

// Writes libs/datapath/src/generated/layouts.ts from the BTF of bpf/build/layouts.bpf.o; with --check, fails when it would differ.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseBtf } from '../libs/datapath/src/btf/btf.ts';
import { elfSection } from './layouts/elf.ts';
import { emit } from './layouts/emit.ts';
import { layoutsOf } from './layouts/layout.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const object = path('bpf/build/layouts.bpf.o');
const target = path('libs/datapath/src/generated/layouts.ts');

const text = emit(layoutsOf(parseBtf(elfSection(readFileSync(object), '.BTF'))));
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('libs/datapath/src/generated/layouts.ts does not match bpf/lib: run scripts/build-bpf and scripts/generate-layouts.ts');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}

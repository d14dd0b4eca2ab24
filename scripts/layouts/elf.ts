import { cString } from '../../libs/datapath/src/btf/btf.ts';

/** Bytes of a section of a 64-bit little-endian ELF object. @throws Error when the file is another kind, or has no such section */
export function elfSection(file: Uint8Array, name: string): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) throw new Error('not a 64-bit little-endian ELF object');
  const table = Number(view.getBigUint64(40, true));
  const entrySize = view.getUint16(58, true);
  const count = view.getUint16(60, true);
  const section = (index: number) => {
    const at = table + index * entrySize;
    const offset = Number(view.getBigUint64(at + 24, true));
    return { name: view.getUint32(at, true), bytes: file.subarray(offset, offset + Number(view.getBigUint64(at + 32, true))) };
  };
  const names = section(view.getUint16(62, true)).bytes;
  for (let index = 0; index < count; index++) {
    const found = section(index);
    if (cString(names, found.name) === name) return found.bytes;
  }
  throw new Error(`no section ${name}`);
}

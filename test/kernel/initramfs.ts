import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Types of files, as `stat` has them. */
const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;
const ALIGN = 4;

/** The archive that a kernel unpacks as its first file system: cpio in the form `newc` (Documentation/driver-api/early-userspace). */
export class Initramfs {
  readonly #fd: number;
  readonly #folders = new Set<string>(['/', '.']);
  #inode = 1;
  /** Of the archive so far. */
  bytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  /** A folder, with those above it; twice is fine. */
  folder(path: string): void {
    if (this.#folders.has(path)) return;
    this.folder(dirname(path));
    this.#folders.add(path);
    this.#entry(path, TYPE.folder | 0o755);
  }

  file(path: string, content: Uint8Array | string, mode = 0o755): void {
    this.folder(dirname(path));
    this.#entry(path, TYPE.file | mode, Buffer.from(content));
  }

  link(path: string, target: string): void {
    this.folder(dirname(path));
    this.#entry(path, TYPE.link | 0o777, Buffer.from(target));
  }

  /** A character device. */
  device(path: string, major: number, minor: number): void {
    this.folder(dirname(path));
    this.#entry(path, TYPE.device | 0o600, Buffer.alloc(0), [major, minor]);
  }

  /** Ends the archive. */
  close(): void {
    this.#entry('TRAILER!!!', 0);
    closeSync(this.#fd);
  }

  #entry(path: string, mode: number, content: Buffer = Buffer.alloc(0), device: readonly [number, number] = [0, 0]): void {
    const name = `${path.replace(/^\//, '')}\0`;
    const fields = [this.#inode++, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, Buffer.byteLength(name), 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}`;
    this.#write(Buffer.from(head));
    this.#write(content);
  }

  #write(bytes: Buffer): void {
    const padding = (ALIGN - (bytes.length % ALIGN)) % ALIGN;
    for (const part of [bytes, Buffer.alloc(padding)]) for (let done = 0; done < part.length; ) done += writeSync(this.#fd, part, done);
    this.bytes += bytes.length + padding;
  }
}

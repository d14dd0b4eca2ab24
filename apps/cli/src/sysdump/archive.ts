import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';

/** An archive that is being written: under another name until it is whole, and for this user's eyes only. */
export class Archive {
  readonly #path: string;
  readonly #folder: string;
  readonly #mtime: Date;
  readonly #pack: Pack = pack();
  readonly #written: Promise<void>;

  /**
   * @param path where it goes
   * @param folder that everything in it lies in
   * @param mtime of everything in it
   */
  constructor(path: string, folder: string, mtime: Date) {
    this.#path = path;
    this.#folder = folder;
    this.#mtime = mtime;
    this.#written = pipeline(this.#pack, createGzip(), createWriteStream(this.#partial, { mode: 0o600 }));
    // Whoever adds or closes hears of it.
    this.#written.catch(() => undefined);
  }

  /** Adds a file. @returns its bytes. @throws Error when the archive cannot be written */
  async add(path: string, text: string): Promise<number> {
    const bytes = Buffer.from(text);
    const entry = { name: `${this.#folder}/${path}`, size: bytes.length, mtime: this.#mtime, mode: 0o600 };
    const added = new Promise<void>((resolve, reject) => {
      this.#pack.entry(entry, bytes, (error) => (error ? reject(error) : resolve()));
    });
    await Promise.race([added, this.#written]);
    return bytes.length;
  }

  /** Makes it whole. @returns its bytes. @throws Error when it cannot be written */
  async close(): Promise<number> {
    this.#pack.finalize();
    await this.#written;
    await rename(this.#partial, this.#path);
    return (await stat(this.#path)).size;
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => undefined);
    await rm(this.#partial, { force: true });
  }

  get #partial(): string {
    return `${this.#path}.partial`;
  }
}

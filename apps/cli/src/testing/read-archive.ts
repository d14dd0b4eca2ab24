import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/** Texts of the files of a `.tar.gz`, by their paths inside its one folder. */
export async function readArchive(path: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of createReadStream(path).pipe(createGunzip()).pipe(extract())) {
    const [, ...inside] = entry.header.name.split('/');
    files.set(inside.join('/'), await text(entry));
  }
  return files;
}

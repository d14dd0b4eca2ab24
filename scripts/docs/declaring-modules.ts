import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Folders whose modules declare what pages are written from. */
const WORKSPACES = ['apps', 'libs', 'lab', 'bench'];

/** Loads every module of the sources whose text matches, in the order of their paths, so that what they declare is declared. */
export async function loadDeclaring(root: string, declares: RegExp): Promise<void> {
  for (const file of sources(root).filter((path) => declares.test(readFileSync(path, 'utf8')))) await import(pathToFileURL(file).href);
}

function sources(root: string): string[] {
  return WORKSPACES.flatMap((workspace) =>
    readdirSync(join(root, workspace), { recursive: true, encoding: 'utf8' }).map((file) => join(root, workspace, file)),
  )
    .filter((file) => /\/src\/.*\.ts$/.test(file) && !/\.(spec|d)\.ts$|\/(node_modules|dist)\//.test(file))
    .sort();
}

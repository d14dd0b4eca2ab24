import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError, defineError } from '@isthmus/core';

/** A private key that others on the machine can read. */
export const KEY_FILE_OPEN = defineError(
  'KEY_FILE_OPEN',
  'A private key file may be read or written by others than its owner.',
  'Run "chmod 600" on the file. If others may have read it, make a new key.',
);

/** A certificate or key file that should be there is not. */
export const KEY_FILE_MISSING = defineError(
  'KEY_FILE_MISSING',
  'A certificate or key file is missing or cannot be read.',
  'Check the path and the rights; a new cluster gets its files when it is set up.',
);

let sequence = 0;

/**
 * Writes a file so that readers see the old or the new content, never half of it, also after a power cut.
 * The folder is made 0700 when it is missing.
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await makePrivateFolder(dirname(path));
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${sequence++}`);
  try {
    await writeSynced(temporary, content, mode);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes a secret, 0600. */
export async function writeKeyFile(path: string, keyPem: string): Promise<void> {
  await writeFileAtomically(path, keyPem, 0o600);
}

/** Writes something public, 0644 inside a 0700 folder. */
export async function writeCertificateFile(path: string, certPem: string): Promise<void> {
  await writeFileAtomically(path, certPem, 0o644);
}

/**
 * Reads a private key.
 * @throws CodedError KEY_FILE_OPEN when others may read it, KEY_FILE_MISSING
 */
export async function readKeyFile(path: string): Promise<string> {
  await checkPrivate(path);
  return await explained(path, readFile(path, 'utf8'));
}

/**
 * The same in bytes, which the caller can clear.
 * @throws CodedError as {@link readKeyFile}
 */
export async function readKeyBytes(path: string): Promise<Buffer> {
  await checkPrivate(path);
  return await explained(path, readFile(path));
}

/**
 * Reads a certificate or a bundle.
 * @throws CodedError KEY_FILE_MISSING
 */
export async function readCertificateFile(path: string): Promise<string> {
  return await explained(path, readFile(path, 'utf8'));
}

/** The text of a file, or undefined when there is no such file. Other failures are thrown. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Makes a folder that only its owner can enter; an existing one is left as it is. */
export async function makePrivateFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) await chmod(path, 0o700);
}

async function writeSynced(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    // Whatever the umask is.
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function checkPrivate(path: string): Promise<void> {
  const { mode } = await explained(path, stat(path));
  if ((mode & 0o077) === 0) return;
  throw new CodedError(KEY_FILE_OPEN, `${path} has mode ${(mode & 0o777).toString(8)}; it must be 600`, { object: path });
}

async function explained<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new CodedError(KEY_FILE_MISSING, `${path} cannot be read`, { object: path, cause });
  }
}

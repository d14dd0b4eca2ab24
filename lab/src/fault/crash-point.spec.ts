import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crashEnvironment, crashedAfter, type RotationStep } from './crash-environment.ts';

const EPOCH = 8;
const PROGRAM = `const { PairSecretFolder } = await import('@isthmus/crypto');
await new PairSecretFolder(process.argv[1]).savePair(${EPOCH}, Buffer.alloc(32, 7).toString('base64'), { psk: Buffer.from('psk'), answer: undefined });
console.error('went on');`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Saves a preshared key as an agent does. @returns what it died of, what it said, and what is on disk */
async function save(steps: readonly RotationStep[]): Promise<{ signal: string | null; said: string; files: string[] }> {
  const args = ['--conditions=isthmus:source', '--input-type=module', '-e', PROGRAM, folder];
  const env = { ...process.env, ...crashEnvironment(steps) };
  const [signal, said] = await new Promise<[string | null, string]>((resolve) => {
    execFile(process.execPath, args, { env, cwd: import.meta.dirname }, (error, _, stderr) => resolve([error?.signal ?? null, stderr]));
  });
  return { signal, said, files: readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.psk')) };
}

describe('an agent that is to die when a preshared key is agreed on', () => {
  it('dies before the key is saved, and says so', async () => {
    const { signal, said, files } = await save(['agreeing', 'agreed']);
    expect({ signal, files }).toEqual({ signal: 'SIGKILL', files: [] });
    const log = join(folder, 'log');
    writeFileSync(log, said);
    expect(crashedAfter(log)).toBe('agreeing');
  });

  it('dies after it', async () => {
    const { signal, said, files } = await save(['send', 'agreed']);
    expect({ signal, files: files.length }).toEqual({ signal: 'SIGKILL', files: 1 });
    expect(said).toMatch(/crash after agreed\n$/);
  });

  it('goes on when it is to die elsewhere', async () => {
    const { signal, said, files } = await save(['install']);
    expect({ signal, files: files.length }).toEqual({ signal: null, files: 1 });
    expect(said).toContain('went on');
  });
});

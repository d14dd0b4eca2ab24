import { readFileSync } from 'node:fs';

/** One line of the mount table. */
export interface Mount {
  readonly path: string;
  readonly type: string;
}

/** What is mounted in this process's mount namespace, in order of mounting. */
export function mounts(): Mount[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, path = '', type = ''] = line.split(' ');
      return { path: decodeMountPath(path), type };
    });
}

/** The table writes blanks, tabs, line ends and backslashes as three octal digits. */
function decodeMountPath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

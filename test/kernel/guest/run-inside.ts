import { execFile } from 'node:child_process';
import { withNetns } from '@isthmus/datapath';

/** Runs a program in a network namespace: it is in that of the thread that starts it. @returns what it printed @throws Error with `stderr` */
export function runInside(netns: string, program: string, words: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    withNetns(netns, () => {
      execFile(program, words, { encoding: 'buffer' }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(Object.assign(error, { stderr: stderr.toString() }));
      });
    });
  });
}

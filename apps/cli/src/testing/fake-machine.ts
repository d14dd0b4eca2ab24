import type { Machine } from '../sysdump/machine.ts';

/** A machine that answers everything with the question; tests change what they are about. */
export function fakeMachine(changes: Partial<Machine> = {}): Machine {
  return {
    hasProgram: () => false,
    exists: () => true,
    run: async (argv) => `output of ${argv.join(' ')}\n`,
    readEnd: async (path) => `text of ${path}\n`,
    tree: async (path) => `${path}/isth_ipcache\n`,
    page: async (url) => `page of ${url}\n`,
    versions: () => ({ isthmus: '0.0.0', node: 'v24' }),
    ...changes,
  };
}

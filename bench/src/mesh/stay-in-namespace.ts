import { closeNetns, openNetns } from '@isthmus/datapath';
import koffi from 'koffi';

const CLONE_NEWNET = 0x40000000;
const setns = koffi.load('libc.so.6').func('int setns(int fd, int type)') as (fd: number, type: number) => number;

/**
 * Moves this process's main thread into a network namespace of a lab: connections that it opens and commands that it starts from now on are
 * in there. Only for a process that does one thing at a time, as a benchmark.
 * @returns how to leave
 */
export function stayInNamespace(netns: string): () => void {
  const home = openNetns('/proc/thread-self/ns/net');
  enter(`/run/netns/${netns}`);
  return () => {
    if (setns(home, CLONE_NEWNET) !== 0) throw new Error('cannot leave a network namespace');
    closeNetns(home);
  };
}

function enter(path: string): void {
  const fd = openNetns(path);
  try {
    if (setns(fd, CLONE_NEWNET) !== 0) throw new Error(`cannot enter ${path}`);
  } finally {
    closeNetns(fd);
  }
}

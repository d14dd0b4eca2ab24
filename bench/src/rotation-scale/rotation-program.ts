import { SimulatedMesh } from './simulated-mesh.ts';

/** What `rotation-program.ts` prints. */
export interface MeasuredRotation {
  /** Virtual seconds until all pairs sent by the new keys, and until the old ones were wiped everywhere. */
  readonly switchedS: number;
  readonly wipedS: number;
  /** Processor seconds of the whole process, the collector's threads included; and of it, what decoding records took. */
  readonly cpuS: number;
  readonly decodingS: number;
  readonly looksPerNode: number;
  readonly writesPerNode: number;
  readonly storeBytesPerNode: number;
  /** Heap, while both epochs are live. */
  readonly heapPerNode: number;
}

/** Processor time from when it is made until it is asked for, without what is left out. */
class ProcessorTime {
  #began = process.cpuUsage();
  #microseconds = 0;

  leaveOut(fn: () => void): void {
    this.#microseconds += this.#sinceBegan();
    fn();
    this.#began = process.cpuUsage();
  }

  seconds(): number {
    return (this.#microseconds + this.#sinceBegan()) / 1e6;
  }

  #sinceBegan(): number {
    const { user, system } = process.cpuUsage(this.#began);
    return user + system;
  }
}

function heapInUse(): number {
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** A mesh gets its first keys, which nobody measures, and then others. */
async function main(nodes: number, seed: number): Promise<MeasuredRotation> {
  const empty = heapInUse();
  const mesh = new SimulatedMesh(nodes, seed);
  await mesh.rotate();
  await mesh.settle();
  let heap = 0;
  const time = new ProcessorTime();
  const found = await mesh.rotate(() => time.leaveOut(() => (heap = heapInUse())));
  return {
    switchedS: found.switchedMs / 1000,
    wipedS: found.wipedMs / 1000,
    cpuS: time.seconds(),
    decodingS: found.decodingMs / 1000,
    looksPerNode: found.looks / nodes,
    writesPerNode: found.writes / nodes,
    storeBytesPerNode: found.bytes / nodes,
    heapPerNode: (heap - empty) / nodes,
  };
}

if (!globalThis.gc) throw new Error('run it with --expose-gc');
const [nodes, seed] = process.argv.slice(2).map(Number);
console.log(JSON.stringify(await main(nodes ?? 0, seed ?? 0)));

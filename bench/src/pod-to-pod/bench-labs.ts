import { Lab } from '@isthmus/lab';

/** Name of the lab under test. Its agents, programs and pods are real. */
export const OURS = 'bench';
/** Name of the lab beside it that has the same underlay and nothing of Isthmus in it. */
export const PLAIN = 'benchplain';

const TOPOLOGY = 'one-cluster';

/** Both labs, up. */
export interface BenchLabs {
  readonly ours: Lab;
  readonly plain: Lab;
}

/**
 * Brings up both labs of the same topology with the same code: the second one only as far as namespaces, cables, bridge and router. So
 * what lies between two nodes is the same on both sides by construction. What a crash left of either is
 * removed first.
 */
export async function bringUpLabs(progress: (line: string) => void): Promise<BenchLabs> {
  // A lab that a crash left complete would be taken as it is, with the programs of another build.
  await removeLabs();
  const plain = await Lab.up(TOPOLOGY, { name: PLAIN, through: 'machine' });
  return { ours: await Lab.up(TOPOLOGY, { name: OURS, progress }), plain };
}

/** Removes both labs, whatever state they are in. */
export async function removeLabs(): Promise<void> {
  for (const name of [OURS, PLAIN]) await Lab.down(name);
}

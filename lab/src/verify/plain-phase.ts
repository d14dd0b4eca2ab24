import type { Lab } from '../lab.ts';
import { alwaysSniffs, snifferFolder } from '../sniff/sniffer-links.ts';
import { SnifferMaps } from '../sniff/sniffer-maps.ts';

/** Does something during which plain packets may be on the cables: what sniffers see meanwhile is counted by itself. */
export async function whilePlain<T>({ plan }: Lab, work: () => Promise<T>): Promise<T> {
  if (!alwaysSniffs(plan)) return work();
  const maps = SnifferMaps.pinned(snifferFolder(plan));
  maps.expect('plain');
  try {
    return await work();
  } finally {
    maps.expect('encrypted');
  }
}

import type { Lab } from '../lab.ts';
import type { Check } from './check.ts';
import { hasEncryption } from './encryption-view.ts';
import { meshLoad, pairLoad, unreadUnderLoad } from './rotation-load.ts';
import { type PhaseTraffic, rotate } from './rotation-phase.ts';

const ROTATIONS = 10;

/** All keys of the mesh change ten times under a load that was carried without a loss before: nothing is lost, and nothing can be read. */
function underLoadCheck(name: string, loadOf: (lab: Lab) => PhaseTraffic): Check {
  return {
    name,
    disruptive: true,
    applies: hasEncryption,
    run: (lab) =>
      unreadUnderLoad(lab, loadOf(lab), async () => {
        for (let i = 0; i < ROTATIONS; i++) await rotate(lab, i);
        return `${ROTATIONS} rotations`;
      }),
  };
}

/** What holds of the keys' rotation while much is sent. */
export const encryptionLoadChecks: readonly Check[] = [
  underLoadCheck('no-loss-while-keys-rotate-under-load', meshLoad),
  underLoadCheck('no-loss-while-keys-rotate-under-load-of-one-pair', pairLoad),
];

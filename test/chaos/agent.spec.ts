import { noSteppableClock } from '@isthmus/lab';
import { clockCases } from './agent/clock.cases.ts';
import { cniCases } from './agent/cni.cases.ts';
import { diskCases } from './agent/disk.cases.ts';
import { killCases } from './agent/kill.cases.ts';
import { mapLimitCases } from './agent/map-limit.cases.ts';
import { massCases } from './agent/mass.cases.ts';
import { upgradeCases } from './agent/upgrade.cases.ts';
import { chaosLab, TWO_CLUSTERS } from './chaos-lab.ts';
import { SeededRandom } from './seeded-random.ts';

// What agents survive. One lab serves all: each case leaves it as it found it.

const noClock = noSteppableClock();
const lab = chaosLab('chaosagent', TWO_CLUSTERS, { steppableClock: noClock === undefined });
let random: SeededRandom;
beforeAll(() => {
  random = new SeededRandom();
});

describe('an agent', () => {
  killCases(lab, () => random);
  cniCases(lab, () => random);
  massCases(lab, () => random);
  mapLimitCases(lab);
  diskCases(lab);
  upgradeCases(lab);
});

if (noClock === undefined) describe('the wall clock', () => clockCases(lab));
else it.skip(`the wall clock: ${noClock}`, () => undefined);

import { killCases } from './agent/kill.cases.ts';
import { chaosLab } from './chaos-lab.ts';

// What agents survive. One lab serves all: each case leaves it as it found it.

const lab = chaosLab('chaosagent');

describe('an agent', () => killCases(lab));

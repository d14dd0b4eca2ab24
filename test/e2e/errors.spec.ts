import { Lab, leftovers } from '@isthmus/lab';
import { TOPOLOGY } from './errors/error-lab.ts';
import { joinCases } from './errors/join.cases.ts';
import { nodeCases } from './errors/node.cases.ts';
import { podCases } from './errors/pod.cases.ts';
import { rightsCases } from './errors/rights.cases.ts';

// What a user meets when something is wrong: a code, the object's name, what to do; nothing half done, nothing lost. One lab serves all cases:
// each part leaves it as the next one needs it, and so the order stands.

const NAME = 'e2eerrors';
const MINUTE_MS = 60_000;
import.meta.jest.setTimeout(MINUTE_MS);

let lab: Lab;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up(TOPOLOGY, { name: NAME, through: 'control' });
}, 2 * MINUTE_MS);

afterAll(async () => {
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
});

describe('a user without rights', () => rightsCases(() => lab));
describe('a node', () => nodeCases(() => lab));
describe('a pod', () => podCases(() => lab));
describe('two clusters', () => joinCases(() => lab));

import { Lab, leftovers } from '@isthmus/lab';
import { addCases } from './cni/add.cases.ts';
import { checkCases } from './cni/check.cases.ts';
import { CniNode, TOPOLOGY } from './cni/cni-lab.ts';
import { crashCases } from './cni/crash.cases.ts';
import { deleteCases } from './cni/delete.cases.ts';
import { gcCases } from './cni/gc.cases.ts';
import { hostileCases } from './cni/hostile.cases.ts';
import { mappedCases } from './cni/mapped.cases.ts';
import { statusCases } from './cni/status.cases.ts';

// The CNI plugin and an agent, by the letter of the specification, as runtimes use and misuse them. One lab serves all; every case takes
// its pods away and leaves the node as it found it.

const NAME = 'e2ecni';
const MINUTE_MS = 60_000;
import.meta.jest.setTimeout(MINUTE_MS);

let lab: Lab;
let node: CniNode;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up(TOPOLOGY, { name: NAME });
  node = new CniNode(lab);
}, 2 * MINUTE_MS);

afterAll(async () => {
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
});

describe('ADD', () => addCases(() => node));
describe('CHECK', () => checkCases(() => node));
describe('DEL', () => deleteCases(() => node));
describe('GC', () => gcCases(() => node));
describe('STATUS', () => statusCases(() => node));
describe('an agent that dies', () => crashCases(() => node));
describe('hostile input', () => hostileCases(() => node));
describe('IPv6 packets with mapped sources', () => mappedCases(() => node));

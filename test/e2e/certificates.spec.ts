import { Lab, leftovers } from '@isthmus/lab';
import { caChangeCases } from './certificates/ca-change.cases.ts';
import { TOPOLOGY } from './certificates/certificate-lab.ts';
import { overdueCases, refusalCases } from './certificates/refusal.cases.ts';
import { renewalCases } from './certificates/renewal.cases.ts';

// Certificates that live for less than a minute: everything that happens to them in a year, on real processes, under flows of which every packet is
// counted. One lab serves all cases; each leaves both clusters ready for each other.

const NAME = 'e2ecerts';
const MINUTE_MS = 60_000;
const ALL = process.env['ISTHMUS_TEST_ALL'] === '1';
import.meta.jest.setTimeout(ALL ? 10 * MINUTE_MS : 3 * MINUTE_MS);

let lab: Lab;
const getLab = (): Lab => lab;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up(TOPOLOGY, { name: NAME });
});

afterAll(async () => {
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
});

describe('certificates', () => renewalCases(getLab, ALL ? 3 : 1));
describe('the CA', () => caChangeCases(getLab, ALL ? ['east', 'west', 'east'] : ['east']));
describe('a cluster', () => {
  refusalCases(getLab);
  if (ALL) overdueCases(getLab);
});

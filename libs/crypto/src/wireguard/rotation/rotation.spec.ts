import type { WorldOptions } from '../../../testing/rotation-world.ts';
import { MINUTE_MS, started, world } from '../../../testing/started-world.ts';
import { meetingTarget } from '../epoch.ts';
import { Rotation } from './rotation.ts';
import type { PeerView, RotationView } from './rotation-view.ts';

it.each([1, 2, 3])('a mesh rotates ten times, and every packet is read (seed %i)', (seed) => {
  const mesh = started(4, seed);
  for (let round = 0; round < 10; round++) {
    mesh.target++;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
  }
  expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
});

it.each([1, 2, 3])('agents that are killed between any two actions, and actions that fail, change nothing (seed %i)', (seed) => {
  const mesh = started(4, seed, { crashes: 0.1, failures: 0.1, maxOverlapMs: 10 * MINUTE_MS });
  for (let round = 0; round < 10; round++) {
    mesh.target++;
    expect(mesh.until(() => mesh.isSettled(), 2 * MINUTE_MS)).toBeDefined();
  }
  expect(mesh.nodes.reduce((sum, { crashes }) => sum + crashes, 0)).toBeGreaterThan(20);
  expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
});

it('twenty-four nodes rotate as well: more than are named as laggards', () => {
  const mesh = started(24, 1);
  mesh.target++;
  expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
  expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
});

it.each<[string, Partial<WorldOptions>]>([
  ['without preshared keys', { storeDelayMs: 500 }],
  ['with preshared keys', { preshared: () => 'preferred' }],
])(
  'a node publishes three times in a rotation that nobody holds up: a new key, that it sends by it, and that the old one is gone; %s',
  (_, options) => {
    const mesh = started(12, 2, options);
    const before = mesh.nodes.map(({ versions }) => versions.length);
    mesh.target++;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    expect(mesh.nodes.map(({ versions }, i) => versions.length - before[i]!)).toEqual(Array(12).fill(3));
  },
);

it.each<[number, number, number]>([
  [8, 42, 43],
  [7, 42, 42],
  [42, 42, 42],
  [41, 42, 42],
])('clusters at %i and %i meet at %i, and nothing is lost inside either', (one, other, together) => {
  const mesh = world({ east: 3, west: 3 }, 8);
  const [east, west] = [mesh.nodes.slice(0, 3), mesh.nodes.slice(3)];
  mesh.apart.set('east', one).set('west', other);
  expect(mesh.until(() => mesh.isSettled(east, one) && mesh.isSettled(west, other), MINUTE_MS)).toBeDefined();
  const live = mesh.nodes.flatMap(({ keys }) => [...keys.keys()]);
  mesh.target = meetingTarget([one, other], live);
  mesh.apart.clear();
  expect(mesh.target).toBe(together);
  expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
  expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
});

describe('a node that is away during a rotation', () => {
  it('holds nobody up, is sent to by the old epoch, and comes along when it is back', () => {
    const mesh = started(4, 4, { maxOverlapMs: 60_000 });
    const [away, ...others] = mesh.nodes;
    away!.isDown = true;
    mesh.target++;
    expect(mesh.until(() => mesh.isSwitched(others), MINUTE_MS)).toBeLessThan(10_000);
    mesh.pass(10_000);
    expect(others.map((node) => node.tx.get(away!.name))).toEqual(['odd', 'odd', 'odd']);
    away!.isDown = false;
    expect(mesh.until(() => mesh.isSwitched(), MINUTE_MS)).toBeLessThan(5_000);
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
  });

  it('is closed when its device is needed for too long, and rejoins by itself at the target', () => {
    const mesh = started(4, 5);
    const [away, ...others] = mesh.nodes;
    away!.isDown = true;
    for (let round = 0; round < 2; round++) {
      mesh.target++;
      expect(mesh.until(() => mesh.isSwitched(others), MINUTE_MS)).toBeDefined();
    }
    expect(others.map((node) => node.tx.get(away!.name))).toEqual([undefined, undefined, undefined]);
    expect([mesh.wrong, mesh.closed]).toEqual([[], 3]);
    away!.isDown = false;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    // What it sent by keys that nobody had any more was lost: it could not know.
    expect(mesh.wrong.filter((text) => !text.includes(`: ${away!.name} to `))).toEqual([]);
  });

  it('cannot publish, and the others wait for it, until it can', () => {
    const mesh = started(3, 6, { maxOverlapMs: 10 * MINUTE_MS });
    const [cut, ...others] = mesh.nodes;
    cut!.isCut = true;
    mesh.target++;
    mesh.pass(MINUTE_MS);
    expect([mesh.isSwitched(others), others.map((node) => node.tx.get(cut!.name))]).toEqual([true, ['odd', 'odd']]);
    cut!.isCut = false;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
  });
});

it('a node that lost its keys makes new ones of the same epoch, and is sent to again', () => {
  const mesh = started(3, 7);
  const [lost, ...others] = mesh.nodes;
  lost!.keys.clear();
  lost!.tx.clear();
  for (const device of Object.values(lost!.devices)) {
    device.publicKey = undefined;
    device.peers.clear();
  }
  expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeLessThan(10_000);
  const between = (text: string): boolean => others.every((node) => text.includes(node.name));
  expect(mesh.wrong.filter(between)).toEqual([]);
});

it.each([0, 1, 3])('makes no key of an epoch that is behind what it has (target %i of 4)', (target) => {
  const mesh = started(2, 9);
  mesh.target = 4;
  expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
  mesh.target = target;
  mesh.pass(MINUTE_MS);
  expect(mesh.nodes.map(({ keys }) => [...keys.keys()])).toEqual([[4], [4]]);
});

describe('with a peer that has only the older of two epochs', () => {
  const OLD = { epoch: 1, port: 51_872 };
  const NEW = { epoch: 2, port: 51_871 };
  const view = (peer: Partial<PeerView>, laggards: readonly string[]): RotationView => ({
    name: 'east/n1',
    target: 2,
    keys: new Map([
      [1, 'own-1'],
      [2, 'own-2'],
    ]),
    devices: {
      odd: { publicKey: 'own-1', peers: new Map([['theirs-1', { confirmed: true, asks: false, secret: false }]]) },
      even: { publicKey: 'own-2', peers: new Map() },
    },
    published: {
      epochs: [
        { ...OLD, publicKey: 'own-1' },
        { ...NEW, publicKey: 'own-2' },
      ],
      minTx: 2,
      laggards,
    },
    peers: [
      {
        name: 'east/n2',
        tx: 'odd',
        record: { epochs: [{ ...OLD, publicKey: 'theirs-1' }], minTx: 1, laggards: [] },
        ...peer,
      },
    ],
  });
  const rotation = (): Rotation => new Rotation({ drainMs: 3_000, maxOverlapMs: 20_000 });

  it('sends by it only once everybody can read that it is a laggard', () => {
    const own = rotation();
    const record = { epochs: view({}, []).published!.epochs, minTx: 2, laggards: ['east/n2'] };
    expect(own.step(view({ tx: 'closed' }, []), 0)).toEqual([{ do: 'publish', record }]);
    expect(own.step(view({ tx: 'closed' }, ['east/n2']), 1_000)).toEqual([{ do: 'send', peer: 'east/n2', device: 'odd' }]);
  });

  it('keeps what it sends by, whatever the other side says of its own', () => {
    const own = rotation();
    const peer = { record: { epochs: [{ ...OLD, publicKey: 'theirs-1' }], minTx: 2, laggards: [] } };
    for (const now of [0, 3_000, 100_000]) expect(own.step(view(peer, ['east/n2']), now)).toEqual([]);
  });
});

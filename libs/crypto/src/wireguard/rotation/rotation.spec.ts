import { seededRandom } from '@isthmus/core';
import { RotationWorld, type WorldNode, type WorldOptions } from '../../../testing/rotation-world.ts';
import type { WorldSecrets } from '../../../testing/world-secrets.ts';
import { meetingTarget } from '../epoch.ts';
import { Rotation } from './rotation.ts';
import type { PeerView, RotationView } from './rotation-view.ts';
import { recordWithoutEpochs } from './wireguard-record.ts';

const MINUTE_MS = 60_000;

const world = (count: number | Record<string, number>, seed: number, options: Partial<WorldOptions> = {}): RotationWorld =>
  new RotationWorld(typeof count === 'number' ? { east: count } : count, {
    random: seededRandom(seed),
    storeDelayMs: 1_000,
    crashes: 0,
    failures: 0,
    paceMs: 500,
    drainMs: 3_000,
    maxOverlapMs: 20_000,
    ...options,
  });

/** Begins with keys of the first epoch. */
function started(count: number, seed: number, options: Partial<WorldOptions> = {}): RotationWorld {
  const made = world(count, seed, options);
  made.target = 1;
  expect(made.until(() => made.isSettled(), MINUTE_MS)).toBeDefined();
  return made;
}

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

/** Whether every pair of these sends by sessions with a preshared key, or none does. */
const presharedPairs = (mesh: RotationWorld): Set<boolean> =>
  new Set(
    mesh.nodes.flatMap(({ devices, tx }) =>
      [...new Set(tx.values())].flatMap((each) => [...devices[each].peers.values()].map(({ secret }) => secret)),
    ),
  );

describe('preshared keys', () => {
  const lossy = (seed: number): Partial<WorldOptions> => {
    const random = seededRandom(seed + 100);
    return { preshared: () => 'required', loses: () => random() < 0.2 };
  };

  it.each([1, 2, 3])('are agreed on before anything is sent, also from nothing, when exchanges get lost (seed %i)', (seed) => {
    const mesh = started(4, seed, lossy(seed));
    expect(presharedPairs(mesh)).toEqual(new Set([true]));
    for (let round = 0; round < 10; round++) {
      mesh.target++;
      expect(mesh.until(() => mesh.isSettled(), 5 * MINUTE_MS)).toBeDefined();
      expect(presharedPairs(mesh)).toEqual(new Set([true]));
    }
    expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
  });

  it.each([1, 2, 3])('survive agents that are killed between any two actions, and actions that fail (seed %i)', (seed) => {
    const mesh = started(4, seed, { ...lossy(seed), crashes: 0.05, failures: 0.05, maxOverlapMs: 10 * MINUTE_MS });
    for (let round = 0; round < 10; round++) {
      mesh.target++;
      expect(mesh.until(() => mesh.isSettled(), 5 * MINUTE_MS)).toBeDefined();
    }
    expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
  });

  it('are done without where they are preferred and cannot be agreed on, after a while', () => {
    const mesh = started(3, 1, { preshared: () => 'preferred', loses: () => true });
    expect(presharedPairs(mesh)).toEqual(new Set([false]));
    mesh.target++;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
  });

  it('are agreed on again when only one of the two has one, and nobody shakes hands', () => {
    let isBad = true;
    const mesh = world(3, 1, { preshared: () => 'preferred', loses: (message) => isBad && message === 'answer' });
    mesh.target = 1;
    mesh.pass(20_000);
    expect(mesh.nodes.map(({ tx }) => tx.size)).toEqual([0, 0, 0]);
    isBad = false;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    expect([presharedPairs(mesh), mesh.wrong]).toEqual([new Set([true]), []]);
  });

  it('are taken by sessions that are made anew where they are required from now on', () => {
    const modes: WorldSecrets['mode'][] = ['preferred', 'off', 'preferred'];
    const mesh = started(3, 1, { preshared: (index) => modes[index]! });
    for (const node of mesh.nodes) node.secrets.mode = 'required';
    expect(mesh.until(() => mesh.isSwitched() && presharedPairs(mesh).size === 1, MINUTE_MS)).toBeDefined();
    // What was under way in sessions that end is lost.
    expect(presharedPairs(mesh)).toEqual(new Set([true]));
  });

  it('are not waited for where the other node agrees on none', () => {
    const mesh = started(4, 1, { preshared: (index) => (index % 2 === 0 ? 'preferred' : 'off') });
    mesh.target++;
    expect(mesh.until(() => mesh.isSwitched(), MINUTE_MS)).toBeLessThan(6_000);
    expect(presharedPairs(mesh)).toEqual(new Set([true, false]));
    expect([mesh.wrong, mesh.closed]).toEqual([[], 0]);
  });

  it('leave a pair closed where one node requires them and the other agrees on none', () => {
    const mesh = world(3, 1, { preshared: (index) => (['required', 'off', 'preferred'] as const)[index]! });
    mesh.target = 1;
    mesh.pass(MINUTE_MS);
    const open = mesh.nodes.map(({ tx }) => [...tx.keys()].map((name) => Number(name.at(-1))).sort());
    expect(open).toEqual([[2], [2], [0, 1]]);
    expect(mesh.wrong).toEqual([]);
  });
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

describe('a node that knows of no epochs', () => {
  const isServed = (own: readonly WorldNode[], other: WorldNode): boolean =>
    own.every((node) => node.tx.get(other.name) === 'even' && other.devices.even.peers.get(node.devices.even.publicKey ?? '')?.confirmed);
  const published = (own: readonly WorldNode[]): number[][] =>
    own.map(({ versions }) => versions.at(-1)!.record.epochs.map(({ epoch }) => epoch));
  /** What went wrong between nodes of the mesh itself. */
  const wrongWithin = (mesh: RotationWorld, other: WorldNode): string[] => mesh.wrong.filter((text) => !text.includes(other.name));
  const quiet = (options: Partial<WorldOptions> = {}): Partial<WorldOptions> => ({ storeDelayMs: 300, ...options });

  it.each([
    [1, quiet()],
    [2, quiet({ crashes: 0.1, failures: 0.1, maxOverlapMs: 10 * MINUTE_MS })],
  ])('is sent to by the even device, also while and after the mesh goes on to an odd epoch (seed %i)', (seed, options) => {
    const mesh = started(3, seed, options);
    mesh.target = 2;
    expect(mesh.until(() => mesh.isSettled(), 2 * MINUTE_MS)).toBeDefined();
    const own = [...mesh.nodes];
    const other = mesh.addWithoutEpochs('cilium/n1');
    expect(mesh.until(() => isServed(own, other), MINUTE_MS)).toBeDefined();
    mesh.target = 3;
    const isOver = (): boolean => mesh.isSwitched(own) && published(own).every((epochs) => epochs.join() === '3');
    expect(mesh.until(isOver, 2 * MINUTE_MS)).toBeDefined();
    mesh.pass(10_000);
    expect(own.map(({ keys }) => [...keys.keys()])).toEqual(own.map(() => [2, 3]));
    // Nobody waits for it: it reads no record.
    const said = { minTx: 3, laggards: [], blockedBy: ['cilium/n1'] };
    for (const { versions } of own) expect(versions.at(-1)!.record).toMatchObject(said);
    expect([isServed(own, other), mesh.wrong, mesh.closed]).toEqual([true, [], 0]);
  });

  it('gets an even key of its own where the mesh is at an odd epoch, of which nobody else is told; it goes with that node', () => {
    const mesh = world(3, 3, quiet());
    mesh.target = 7;
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    const own = [...mesh.nodes];
    const other = mesh.addWithoutEpochs('cilium/n1');
    expect(mesh.until(() => isServed(own, other), MINUTE_MS)).toBeDefined();
    mesh.pass(MINUTE_MS);
    expect([own.map(({ keys }) => [...keys.keys()].sort()), published(own)]).toEqual([own.map(() => [6, 7]), own.map(() => [7])]);
    mesh.remove(other);
    expect(mesh.until(() => mesh.isSettled(), MINUTE_MS)).toBeDefined();
    expect(own.every(({ versions }) => !('blockedBy' in versions.at(-1)!.record))).toBe(true);
    expect([wrongWithin(mesh, other), mesh.closed]).toEqual([[], 0]);
  });

  it.each([4, 5, 6])('loses what is sent while even keys change, and nobody else does; then it has the new ones (seed %i)', (seed) => {
    const mesh = world(4, seed, quiet());
    mesh.target = 3;
    const own = [...mesh.nodes];
    const other = mesh.addWithoutEpochs('cilium/n1');
    expect(mesh.until(() => mesh.isSwitched(own) && isServed(own, other), MINUTE_MS)).toBeDefined();
    const before = mesh.wrong.length;
    mesh.target = 4;
    expect(mesh.until(() => mesh.isSwitched(own) && isServed(own, other), MINUTE_MS)).toBeLessThan(10_000);
    mesh.pass(10_000);
    expect([wrongWithin(mesh, other), isServed(own, other), before]).toEqual([[], true, 0]);
    expect(own.map(({ keys }) => [...keys.keys()])).toEqual(own.map(() => [4]));
  });

  it('is asked for a handshake by whoever it is to talk to: by itself it makes none', () => {
    const view: RotationView = {
      name: 'east/n1',
      target: 2,
      keys: new Map([[2, 'own']]),
      devices: { even: { publicKey: 'own', peers: new Map() }, odd: { publicKey: undefined, peers: new Map() } },
      published: undefined,
      peers: [{ name: 'cilium/n1', tx: 'closed', record: recordWithoutEpochs('theirs', [2]), withoutEpochs: true }],
    };
    const actions = new Rotation({ drainMs: 1, maxOverlapMs: 1 }).step(view, 0);
    expect(actions).toContainEqual({ do: 'install', device: 'even', epoch: 2, peer: 'cilium/n1', publicKey: 'theirs', begins: true });
  });

  it('is met with a new key after it was started anew with another one', () => {
    const mesh = started(2, 9, quiet());
    mesh.target = 2;
    const own = [...mesh.nodes];
    const other = mesh.addWithoutEpochs('cilium/n1');
    expect(mesh.until(() => isServed(own, other), MINUTE_MS)).toBeDefined();
    other.devices.even.publicKey = 'cilium/n1#another';
    other.devices.even.peers.clear();
    other.tx.clear();
    const isMet = (): boolean => own.every(({ devices }) => devices.even.peers.get('cilium/n1#another')?.confirmed === true);
    expect(mesh.until(() => isMet() && isServed(own, other), MINUTE_MS)).toBeLessThan(15_000);
    expect(wrongWithin(mesh, other)).toEqual([]);
  });
});

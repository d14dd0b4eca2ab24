import type { RotationWorld, WorldOptions } from '../../../testing/rotation-world.ts';
import { MINUTE_MS, started, world } from '../../../testing/started-world.ts';
import type { WorldNode } from '../../../testing/world-node.ts';
import { Rotation } from './rotation.ts';
import type { RotationView } from './rotation-view.ts';
import { recordWithoutEpochs } from './wireguard-record.ts';

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

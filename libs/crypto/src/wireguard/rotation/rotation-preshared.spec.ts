import { seededRandom } from '@isthmus/core';
import type { RotationWorld, WorldOptions } from '../../../testing/rotation-world.ts';
import { MINUTE_MS, started, world } from '../../../testing/started-world.ts';
import type { WorldSecrets } from '../../../testing/world-secrets.ts';

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

import { RESERVED_IDENTITY } from '@isthmus/model';
import fc from 'fast-check';
import { checkClusterId, checkClusterName, checkMeshSize } from './cluster-name.ts';
import { GLOBAL_NAMESPACE_ANNOTATION, isGlobalNamespace } from './global-namespace.ts';
import { clusterOfIdentity, identityRange, inIdentityRange, reservedIdentityLabel } from './numeric-identity.ts';

const size = fc.constantFrom<255 | 511>(255, 511);

describe('numeric identities', () => {
  it('have the documented ranges', () => {
    expect(identityRange(3, 255)).toEqual({ min: 196608, max: 262143 });
    expect(identityRange(0, 255)).toEqual({ min: 256, max: 65535 });
    expect(identityRange(511, 511)).toEqual({ min: 511 * 32768, max: 0xffffff });
    expect(identityRange(255, 255).max).toBe(0xffffff);
  });

  it('carry their cluster', () => {
    fc.assert(
      fc.property(size, fc.nat(511), fc.nat(0xffff), (max, id, local) => {
        const cluster = id % (max + 1);
        const range = identityRange(cluster, max);
        const identity = range.min + (local % (range.max - range.min + 1));
        expect(clusterOfIdentity(identity, max)).toBe(cluster);
        expect(inIdentityRange(identity, identityRange((cluster + 1) % (max + 1), max))).toBe(false);
      }),
    );
  });

  it('have names when reserved', () => {
    const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    for (const [name, id] of Object.entries(RESERVED_IDENTITY)) expect(reservedIdentityLabel(id)).toBe(`reserved:${kebab(name)}`);
    expect(reservedIdentityLabel(RESERVED_IDENTITY.remoteNode)).toBe('reserved:remote-node');
    expect(reservedIdentityLabel(256)).toBeUndefined();
  });
});

describe('cluster names and ids', () => {
  it.each(['a', 'west', 'a-b', '1', 'a'.repeat(32)])('%s is a name', (name) => {
    expect(checkClusterName(name)).toBeUndefined();
  });

  it.each(['', 'default', '-a', 'a-', 'A', 'a_b', 'a.b', 'a/b', 'a'.repeat(33), 'a\n', 'ä'])('%j is none', (name) => {
    expect(checkClusterName(name)).toMatchObject({ code: 'MESH_CLUSTER_NAME_INVALID' });
  });

  it('ids go from 1 to the size of the mesh', () => {
    for (const id of [1, 255]) expect(checkClusterId(id, 255)).toBeUndefined();
    expect(checkClusterId(511, 511)).toBeUndefined();
    for (const id of [0, 256, -1, 1.5, Number.NaN]) expect(checkClusterId(id, 255)).toMatchObject({ code: 'MESH_CLUSTER_ID_INVALID' });
  });

  it('a mesh has one of two sizes', () => {
    expect([checkMeshSize(255), checkMeshSize(511)]).toEqual([undefined, undefined]);
    expect(checkMeshSize(256)).toMatchObject({ code: 'MESH_SIZE_INVALID' });
  });
});

describe('isGlobalNamespace', () => {
  it.each([
    [undefined, true, false],
    [{}, true, true],
    [{}, false, false],
    [{ [GLOBAL_NAMESPACE_ANNOTATION]: 'true' }, false, true],
    [{ [GLOBAL_NAMESPACE_ANNOTATION]: 'True' }, false, true],
    [{ [GLOBAL_NAMESPACE_ANNOTATION]: 'false' }, true, false],
    [{ [GLOBAL_NAMESPACE_ANNOTATION]: 'yes' }, true, false],
  ] as const)('%j with default %s is %s', (annotations, byDefault, expected) => {
    expect(isGlobalNamespace(annotations, byDefault)).toBe(expected);
  });
});

import { decodeAttributes, encodeAttributes } from '../attribute/attributes.codec.ts';
import type { PathAttributes } from '../attribute/path-attributes.ts';
import { AttributeStore } from '../rib/attribute-store.ts';
import { PrefixTable } from '../rib/prefix-table.ts';
import { CompiledPolicy, REJECTED } from './compiled-policy.ts';
import { ACCEPT_ALL, type PolicyActions, type PolicyMatch, type PolicyRoute, REJECT_ALL } from './policy.ts';

const CODEC = { decode: decodeAttributes, encode: encodeAttributes };
const NEXT_HOP = Uint8Array.of(10, 0, 0, 1);
const ROUTE: PolicyRoute = { family: 'ipv4', neighbour: 'tor-a', source: 'external' };
const COMMUNITY = 65_001 * 65_536 + 7;
const LARGE = { global: 65_001, local1: 1, local2: 2 };
const BASE: PathAttributes = {
  origin: 0,
  asPath: [{ type: 'sequence', asns: [65_001, 65_002] }],
  nextHop: '10.0.0.1',
  med: 5,
  communities: [COMMUNITY],
  largeCommunities: [LARGE],
};

let store: AttributeStore;
let table: PrefixTable;
let set: number;

beforeEach(() => {
  store = new AttributeStore({ localAs: 65_000, routerId: 1, clusterId: 1 });
  table = new PrefixTable('ipv4');
  set = store.intern(encodeAttributes(BASE), NEXT_HOP);
});

/** 10.1.2.0/24, or another length of it. */
function prefix(length = 24): number {
  return table.find(Uint8Array.from([length, 10, 1, 2, 3].slice(0, 1 + Math.ceil(length / 8))), 0, true);
}

function accepts(match: PolicyMatch, route: Partial<PolicyRoute> = {}, length = 24): boolean {
  const policy = new CompiledPolicy({ rules: [{ match, action: 'accept' }], otherwise: 'reject' }, store, CODEC);
  return policy.apply(set, table, prefix(length), { ...ROUTE, ...route }) !== REJECTED;
}

function after(actions: PolicyActions): PathAttributes {
  const policy = new CompiledPolicy({ rules: [{ action: 'accept', set: actions }], otherwise: 'reject' }, store, CODEC);
  const answer = policy.apply(set, table, prefix(), ROUTE);
  return decodeAttributes(store.block(answer), store.nextHop(answer));
}

describe('a policy', () => {
  it.each<[string, PolicyMatch, boolean, Partial<PolicyRoute>?, number?]>([
    ['nothing', {}, true],
    ['the prefix itself', { prefixes: [{ prefix: '10.1.2.0/24' }] }, true],
    ['a shorter prefix without a range', { prefixes: [{ prefix: '10.1.0.0/16' }] }, false],
    ['a shorter prefix with a range', { prefixes: [{ prefix: '10.1.0.0/16', min: 24, max: 24 }] }, true],
    ['a range that ends before', { prefixes: [{ prefix: '10.1.0.0/16', min: 16, max: 23 }] }, false],
    ['another prefix', { prefixes: [{ prefix: '10.2.0.0/16', min: 16, max: 32 }] }, false],
    ['any of several', { prefixes: [{ prefix: '10.2.0.0/16' }, { prefix: '10.1.2.0/24' }] }, true],
    ['the default route and all below', { prefixes: [{ prefix: '0.0.0.0/0', min: 0, max: 32 }] }, true],
    ['a longer prefix than the route', { prefixes: [{ prefix: '10.1.2.0/25', min: 8, max: 32 }] }, false],
    ['a prefix of the other family', { prefixes: [{ prefix: '::/0', min: 0, max: 128 }] }, false],
    ['a community that is there', { communities: [COMMUNITY] }, true],
    ['one that is not', { communities: [COMMUNITY, 1] }, false],
    ['a large community', { largeCommunities: [LARGE] }, true],
    ['another large community', { largeCommunities: [{ ...LARGE, local2: 3 }] }, false],
    ['an AS on the path', { asPathContains: 65_002 }, true],
    ['an AS that is not on it', { asPathContains: 65_003 }, false],
    ['the first AS', { asPathStarts: 65_001 }, true],
    ['an AS that is not the first', { asPathStarts: 65_002 }, false],
    ['a path of that length', { asPathLength: { min: 2, max: 2 } }, true],
    ['a longer path', { asPathLength: { min: 3 } }, false],
    ['the neighbour', { neighbours: ['tor-b', 'tor-a'] }, true],
    ['another neighbour', { neighbours: ['tor-b'] }, false],
    ['the source', { source: 'external' }, true],
    ['another source', { source: 'external' }, false, { source: 'internal' }],
    ['the family', { family: 'ipv6' }, false],
    ['all that is given', { family: 'ipv4', source: 'external', communities: [COMMUNITY], asPathContains: 1 }, false],
  ])('asks for %s', (_, match, expected, route = {}, length = 24) => {
    expect(accepts(match, route, length)).toBe(expected);
  });

  it.each<[string, PolicyActions, Partial<PathAttributes>]>([
    ['local preference', { localPref: 200 }, { localPref: 200 }],
    ['MED', { med: 9 }, { med: 9 }],
    ['both', { med: 0xffff_fffe, localPref: 0x8000_0001 }, { med: 0xffff_fffe, localPref: 0x8000_0001 }],
    ['communities to add', { addCommunities: [COMMUNITY, 1] }, { communities: [COMMUNITY, 1] }],
    ['communities instead', { replaceCommunities: [2] }, { communities: [2] }],
    [
      'large communities',
      { addLargeCommunities: [LARGE, { ...LARGE, local1: 9 }] },
      { largeCommunities: [LARGE, { ...LARGE, local1: 9 }] },
    ],
    ['large communities instead', { replaceLargeCommunities: [{ ...LARGE, local1: 9 }] }, { largeCommunities: [{ ...LARGE, local1: 9 }] }],
    ['a next hop', { nextHop: '10.0.0.9' }, { nextHop: '10.0.0.9' }],
  ])('sets %s and leaves the rest', (_, actions, expected) => {
    expect(after(actions)).toEqual({ ...BASE, ...expected });
  });

  it('takes away what it is told to, and prepends', () => {
    const { med: _, ...withoutMed } = BASE;
    expect(after({ med: null })).toEqual(withoutMed);
    const { communities: __, ...withoutCommunities } = BASE;
    expect(after({ removeCommunities: [COMMUNITY] })).toEqual(withoutCommunities);
    const path = after({ prepend: { asn: 65_009, times: 2 } }).asPath.flatMap(({ asns }) => asns);
    expect(path).toEqual([65_009, 65_009, 65_001, 65_002]);
  });

  it('sets what is there already, and finds its place in a block in any order', () => {
    const order = [0xc0, 8, 4, 0, 0, 0, 9, 0x40, 5, 4, 0, 0, 0, 1, 0x40, 1, 1, 0, 0x50, 2, 0, 0, 0x80, 4, 4, 0, 0, 0, 2];
    set = store.intern(Uint8Array.from(order), NEXT_HOP);
    expect(after({ localPref: 7, med: 8 })).toEqual({ origin: 0, asPath: [], nextHop: '10.0.0.1', communities: [9], localPref: 7, med: 8 });
    expect(after({ med: null })).toEqual({ origin: 0, asPath: [], nextHop: '10.0.0.1', communities: [9], localPref: 1 });
    expect(accepts({ communities: [9] })).toBe(true);
    expect(accepts({ communities: [8] })).toBe(false);
  });

  it('takes the first rule that matches, and its default when none does', () => {
    const policy = new CompiledPolicy(
      {
        rules: [
          { match: { prefixes: [{ prefix: '10.1.2.0/24' }] }, action: 'reject' },
          { match: { asPathStarts: 65_001 }, action: 'accept', set: { localPref: 7 } },
        ],
        otherwise: 'accept',
      },
      store,
      CODEC,
    );
    expect(policy.apply(set, table, prefix(24), ROUTE)).toBe(REJECTED);
    const changed = policy.apply(set, table, prefix(16), ROUTE);
    expect(decodeAttributes(store.block(changed), store.nextHop(changed)).localPref).toBe(7);
    const other = store.intern(encodeAttributes({ ...BASE, asPath: [] }), NEXT_HOP);
    expect(policy.apply(other, table, prefix(16), ROUTE)).toBe(other);
    expect(new CompiledPolicy(REJECT_ALL, store, CODEC).apply(set, table, prefix(), ROUTE)).toBe(REJECTED);
    expect(new CompiledPolicy(ACCEPT_ALL, store, CODEC).apply(set, table, prefix(), ROUTE)).toBe(set);
  });

  it('is asked once for a set, and lets go of its answer with the set', () => {
    let decoded = 0;
    const decode = (block: Uint8Array, nextHop: Uint8Array): PathAttributes => {
      decoded++;
      return decodeAttributes(block, nextHop);
    };
    const codec = { ...CODEC, decode };
    const policy = new CompiledPolicy({ rules: [{ action: 'accept', set: { addCommunities: [7] } }], otherwise: 'reject' }, store, codec);
    const answers = [prefix(24), prefix(16), prefix(8)].map((each) => policy.apply(set, table, each, ROUTE));
    expect([new Set(answers).size, decoded, store.size]).toEqual([1, 1, 2]);
    store.release(set);
    expect(store.size).toBe(0);
  });
});

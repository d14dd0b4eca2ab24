import type { BgpExportEntry, BgpPeerSettings } from './bgp-rows.ts';
import { EntrySets } from './entry-sets.ts';
import { exportPolicy, isTag, tagOf } from './export-policy.ts';

const LOCAL = 65_001;

function peer(ipv4: Partial<BgpExportEntry>[], more: Partial<BgpPeerSettings> = {}): BgpPeerSettings {
  const entries = ipv4.map((each) => ({ entry: '', communities: [], largeCommunities: [], ...each }));
  return {
    connection: { asn: 65_002 },
    routing: { importPolicy: { rules: [], otherwise: 'reject' } },
    exports: { ipv4: entries, ipv6: [] },
    ...more,
  };
}

const match = (set: number) => ({ source: 'local', family: 'ipv4', largeCommunities: [tagOf(set)] });

describe('export policy', () => {
  it('tells a peer of the sets that have one of its entries, and of nothing else', () => {
    const sets = new EntrySets();
    const numbers = [['a'], ['b'], ['a', 'b']].map((entries) => sets.numberOf(entries).number);
    const policy = exportPolicy(peer([{ entry: 'a' }]), LOCAL, sets.all, false);
    expect(policy).toEqual({
      rules: [numbers[0], numbers[2]].map((set) => ({ action: 'accept', match: match(set!), set: { replaceLargeCommunities: [] } })),
      otherwise: 'reject',
    });
  });

  it('gives a route the communities of all its entries, the highest local preference, and what is the peer’s own', () => {
    const sets = new EntrySets();
    const { number } = sets.numberOf(['a', 'b']);
    const large = { global: 1, local1: 2, local2: 3 };
    const entries = [
      { entry: 'a', communities: [7, 8], largeCommunities: [large], localPref: 100 },
      { entry: 'b', communities: [8, 9], largeCommunities: [large], localPref: 300 },
    ];
    const [rule] = exportPolicy(peer(entries, { med: 5, prepend: 2 }), LOCAL, sets.all, false).rules;
    expect(rule).toEqual({
      action: 'accept',
      match: match(number),
      set: { addCommunities: [7, 8, 9], replaceLargeCommunities: [large], localPref: 300, med: 5, prepend: { asn: LOCAL, times: 2 } },
    });
  });

  it('passes on what peers of the own AS said, to peers of the own AS, where it reflects', () => {
    const internal = peer([], { connection: { asn: LOCAL } });
    const rules = (of: BgpPeerSettings, reflects: boolean) => exportPolicy(of, LOCAL, new Map(), reflects).rules;
    expect(rules(internal, true)).toEqual([{ action: 'accept', match: { source: 'internal' } }]);
    expect([rules(internal, false), rules(peer([]), true)]).toEqual([[], []]);
  });

  it('marks own routes with what nobody else can have', () => {
    expect([isTag(tagOf(1)), isTag({ global: 65_000, local1: 0, local2: 1 })]).toEqual([true, false]);
  });
});

it('numbers a set once', () => {
  const sets = new EntrySets();
  expect([['a'], ['a', 'b'], ['a']].map((entries) => sets.numberOf(entries))).toEqual([
    { number: 1, isNew: true },
    { number: 2, isNew: true },
    { number: 1, isNew: false },
  ]);
});

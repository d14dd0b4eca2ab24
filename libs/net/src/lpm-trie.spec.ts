import fc from 'fast-check';
import { Cidr, parseCidr } from './cidr.ts';
import { familyBits, Ip, parseIp } from './ip.ts';
import { LpmTrie } from './lpm-trie.ts';

/** The slow oracle: a list, searched from end to end. */
class LinearLpm {
  readonly rows = new Map<string, { cidr: Cidr; value: number }>();

  match(ip: Ip): number | undefined {
    let best: { cidr: Cidr; value: number } | undefined;
    for (const row of this.rows.values()) if (row.cidr.contains(ip) && row.cidr.length >= (best?.cidr.length ?? 0)) best = row;
    return best?.value;
  }
}

/** Addresses from few bits, so that prefixes nest, branch and collide often. */
const ip = fc.tuple(fc.constantFrom<4 | 6>(4, 6), fc.nat(7), fc.nat(7), fc.nat(3)).map(
  ([family, a, b, c]) =>
    new Ip(
      family,
      Uint8Array.from({ length: familyBits(family) / 8 }, (_, i) => (i === 0 ? a << 5 : i === 1 ? b : i === 3 ? c : 0)),
    ),
);
const cidr = fc.tuple(ip, fc.nat(128)).map(([address, length]) => new Cidr(address, length % (familyBits(address.family) + 1)));
const step = fc.record({ insert: fc.boolean(), cidr, value: fc.nat(100) });

describe('LpmTrie', () => {
  it('does what a linear search does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(ip, { maxLength: 20 }), (steps, probes) => {
        const trie = new LpmTrie<number>();
        const oracle = new LinearLpm();
        for (const { insert, cidr: network, value } of steps) {
          if (insert) {
            trie.insert(network, value);
            oracle.rows.set(String(network), { cidr: network, value });
          } else expect(trie.delete(network)).toBe(oracle.rows.delete(String(network)));
          expect(trie.get(network)).toBe(oracle.rows.get(String(network))?.value);
        }
        expect(trie.size).toBe(oracle.rows.size);
        for (const probe of probes) expect(trie.match(probe)?.value).toBe(oracle.match(probe));
        const listed = [...trie.entries()].map((entry) => `${entry.cidr}=${entry.value}`);
        expect(listed.sort()).toEqual([...oracle.rows.values()].map((row) => `${row.cidr}=${row.value}`).sort());
      }),
      { numRuns: 500 },
    );
  });

  it('leaves nothing behind when everything is deleted', () => {
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 30 }), (networks) => {
        const trie = new LpmTrie<number>();
        for (const network of networks) trie.insert(network, 1);
        for (const network of networks) trie.delete(network);
        expect(trie.size).toBe(0);
        expect([...trie.entries()]).toEqual([]);
      }),
    );
  });

  it('lists the wider network before those inside it', () => {
    const trie = new LpmTrie<number>();
    for (const text of ['10.1.0.0/16', '::/0', '10.0.0.0/8', '9.0.0.0/8', '10.0.0.0/16']) trie.insert(parseCidr(text)!, 0);
    expect([...trie.entries()].map((entry) => String(entry.cidr))).toEqual([
      '9.0.0.0/8',
      '10.0.0.0/8',
      '10.0.0.0/16',
      '10.1.0.0/16',
      '::/0',
    ]);
  });

  it('is empty after clear', () => {
    const trie = new LpmTrie<number>();
    trie.insert(parseCidr('0.0.0.0/0')!, 1);
    trie.clear();
    expect(trie.match(parseIp('1.2.3.4')!)).toBeUndefined();
  });
});

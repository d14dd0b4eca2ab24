import { IdPool, ManualClock } from '@isthmus/core';
import { decodeServiceKey, decodeServiceValue, encodeServiceKey, encodeServiceValue } from '@isthmus/datapath';
import type { FrontendRow } from '@isthmus/service';
import fc from 'fast-check';
import { FrontendSink, type ServiceMap } from './frontend-sink.ts';

const KEY = 'TCP/10.96.0.9:443';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The service map as the kernel's, which after every write is what a program may look at. */
class Slots implements ServiceMap {
  readonly rows = new Map<string, [Uint8Array, Uint8Array]>();
  /** Writes until it fails; counts down. */
  failAfter = Number.POSITIVE_INFINITY;

  set(key: Uint8Array, value: Uint8Array): void {
    this.#write();
    this.rows.set(hex(key), [key, value]);
    this.check();
  }

  unset(key: Uint8Array): boolean {
    this.#write();
    const there = this.rows.delete(hex(key));
    this.check();
    return there;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(hex(key))?.[1];
  }

  *entries(): Generator<[Uint8Array, Uint8Array]> {
    yield* [...this.rows.values()];
  }

  /** Whoever picks one of the slots that a head counts finds it, with a backend in it. */
  check(): void {
    for (const [rawKey, value] of this.rows.values()) {
      const head = decodeServiceKey(rawKey);
      if (head.slot !== 0) continue;
      for (let slot = 1; slot <= decodeServiceValue(value).count; slot++) {
        const row = this.lookup(encodeServiceKey({ ...head, slot }));
        expect(row && decodeServiceValue(row).backend).toBeGreaterThan(0);
      }
    }
  }

  #write(): void {
    if (this.failAfter-- <= 0) throw new Error('map is full');
  }
}

function fixture() {
  const pool = (name: string) => new IdPool({ name, min: 1, max: 1000, graceMs: 0 }, new ManualClock());
  const map = new Slots();
  const pools = { backends: pool('backends'), revnat: pool('revnat') };
  const sink = new FrontendSink(map, pools);
  const row = (...backends: string[]) => ({ backends }) as unknown as FrontendRow;
  const slots = () =>
    [...map.entries()].map(([key, value]) => {
      const { slot } = decodeServiceKey(key);
      const { backend, count } = decodeServiceValue(value);
      return slot === 0 ? `count ${count}` : `${slot}: ${pools.backends.keyOf(backend)}`;
    });
  return { map, pools, sink, row, slots };
}

describe('FrontendSink', () => {
  it('writes a head and a slot for each backend, and takes all away', () => {
    const { sink, row, slots, pools, map } = fixture();
    expect(sink.update([{ key: KEY, row: row('TCP/10.1.0.5:80', 'TCP/10.2.0.5:80') }])).toEqual(new Map());
    expect(slots().sort()).toEqual(['1: TCP/10.1.0.5:80', '2: TCP/10.2.0.5:80', 'count 2']);
    expect([...sink.entries()]).toEqual([[{ key: KEY, scope: 'local' }]]);
    expect(decodeServiceValue([...map.entries()].at(-1)?.[1] as Uint8Array).revnat).toBe(pools.revnat.idOf(KEY));
    expect(sink.delete([KEY, 'UDP/10.96.0.1:53'])).toEqual(new Map());
    expect(slots()).toEqual([]);
  });

  it('keeps a frontend without backends: its clients get an error, not somebody else', () => {
    const { sink, row, slots } = fixture();
    sink.update([{ key: KEY, row: row('TCP/10.1.0.5:80') }]);
    sink.update([{ key: KEY, row: row() }]);
    expect(slots()).toEqual(['count 0']);
  });

  it('never shows a slot that is not there, and ends as wanted, whatever was there and wherever a write failed', () => {
    const sets = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sets, fc.array(fc.nat(8), { maxLength: 6 }), (wanted, failures) => {
        const { map, sink, row, slots } = fixture();
        for (const [step, backends] of wanted.entries()) {
          const keys = backends.map((n) => `TCP/10.1.0.${n}:80`);
          map.failAfter = failures[step] ?? Number.POSITIVE_INFINITY;
          const failed = sink.update([{ key: KEY, row: row(...keys) }]);
          map.failAfter = Number.POSITIVE_INFINITY;
          if (failed.size > 0) continue;
          expect(slots().sort()).toEqual([...keys.map((key, i) => `${i + 1}: ${key}`), `count ${keys.length}`].sort());
        }
        sink.delete([KEY]);
        expect(slots()).toEqual([]);
      }),
    );
  });

  it('removes slots that a cut-short write left beyond the count', () => {
    const { map, sink, row, slots, pools } = fixture();
    sink.update([{ key: KEY, row: row('TCP/10.1.0.5:80') }]);
    const [key] = [...map.entries()][0] as [Uint8Array, Uint8Array];
    const head = decodeServiceKey(key);
    for (const slot of [2, 3])
      map.set(
        encodeServiceKey({ ...head, slot }),
        encodeServiceValue({ backend: pools.backends.idOf(`x${slot}`), count: 0, revnat: 0, flags: 0, affinityTimeout: 0 }),
      );
    sink.update([{ key: KEY, row: row('TCP/10.1.0.6:80') }]);
    expect(slots().sort()).toEqual(['1: TCP/10.1.0.6:80', 'count 1']);
  });

  it('says of each frontend why it failed', () => {
    const { sink, row } = fixture();
    const many = Array.from({ length: 70_000 }, (_, i) => `TCP/10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:80`);
    const failures = sink.update([
      { key: KEY, row: { ...row(...many), namespace: 'shop', name: 'web' } },
      { key: 'UDP/10.96.0.1:53', row: row('UDP/10.1.0.5:53') },
    ]);
    expect([...failures]).toEqual([[KEY, expect.objectContaining({ code: 'SERVICE_TOO_MANY_BACKENDS', object: 'shop/web' })]]);
  });
});

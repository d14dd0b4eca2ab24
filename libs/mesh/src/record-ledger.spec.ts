import fc from 'fast-check';
import { ByteBudget, RecordLedger } from './record-ledger.ts';

const LIMIT = 1_000;
const name = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  fc.record({ do: fc.constant('take' as const), kind: fc.nat(1), name, bytes: fc.nat(700) }),
  fc.record({ do: fc.constantFrom('seen', 'delete', 'clear', 'list'), kind: fc.nat(1), name, bytes: fc.constant(0) }),
);

describe('the ledger of records', () => {
  it('knows the bytes of both kinds, and who was not listed, whatever happens (property)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const budget = new ByteBudget(LIMIT);
        const ledgers = [new RecordLedger(budget), new RecordLedger(budget)];
        const model = [new Map<string, { listing: number; bytes: number }>(), new Map<string, { listing: number; bytes: number }>()];
        const used = (): number => model.flatMap((map) => [...map.values()]).reduce((sum, { bytes }) => sum + bytes, 0);
        let listing = 1;
        for (const { do: what, kind, name: of, bytes } of steps) {
          const [ledger, map] = [ledgers[kind]!, model[kind]!];
          const before = map.get(of)?.bytes ?? 0;
          if (what === 'take') {
            const fits = bytes <= before || used() - before + bytes <= LIMIT;
            expect(ledger.take(of, listing, bytes)).toBe(fits);
            if (fits) map.set(of, { listing, bytes });
          } else if (what === 'seen') {
            ledger.seen(of, listing);
            map.set(of, { listing, bytes: before });
          } else if (what === 'delete') expect(ledger.delete(of)).toBe(map.delete(of));
          else if (what === 'list') listing++;
          else {
            ledger.clear();
            map.clear();
          }
          expect(budget.used).toBe(used());
          expect([...ledger.unseenIn(listing)]).toEqual([...map].filter(([, entry]) => entry.listing !== listing).map(([key]) => key));
          expect(ledger.size).toBe(map.size);
        }
      }),
    );
  });
});

import fc from 'fast-check';
import type { FrontendRow } from './rows.ts';
import { frontendSlots, MAX_SLOTS, removalOperations, type SlotIds, type SlotOperation, type SlotRow, slotOperations } from './slots.ts';

const ids: SlotIds = { backendId: (key) => Number(key), revnatId: () => 7 };

const frontend = (backends: readonly number[]): FrontendRow => ({
  vip: '10.96.0.10',
  port: 80,
  protocol: 'TCP',
  namespace: 'default',
  name: 'echo',
  global: false,
  affinity: 'none',
  backends: backends.map(String),
  backendClusters: backends.map(() => 1),
  idle: [],
});
const slotsOf = (backends: readonly number[]): SlotRow[] => frontendSlots('TCP/10.96.0.10:80', frontend(backends), ids);

function apply(map: Map<number, SlotRow>, operation: SlotOperation): void {
  if (operation.kind === 'put') map.set(operation.row.slot, operation.row);
  else map.delete(operation.slot);
}

const told = (operations: readonly SlotOperation[]) =>
  operations.map((each) => (each.kind === 'put' ? `put ${each.row.slot}` : `delete ${each.slot}`));

describe('frontendSlots', () => {
  it('holds count and number in slot 0, a backend in each other', () => {
    expect(slotsOf([5, 6])).toEqual([
      { slot: 0, backend: 0, count: 2, revnat: 7 },
      { slot: 1, backend: 5, count: 0, revnat: 0 },
      { slot: 2, backend: 6, count: 0, revnat: 0 },
    ]);
    expect(slotsOf([])).toEqual([{ slot: 0, backend: 0, count: 0, revnat: 7 }]);
  });

  it('refuses more than a slot number can count, by the service’s name', () => {
    expect(() => slotsOf(new Array(MAX_SLOTS + 1).fill(1))).toThrow(/service default\/echo has 65536 backends/);
  });
});

describe('slotOperations', () => {
  it('grows: new slots before the count', () => {
    expect(told(slotOperations(1, slotsOf([1, 2])))).toEqual(['put 1', 'put 2', 'put 0']);
  });

  it('shrinks: the count before the surplus', () => {
    expect(told(slotOperations(3, slotsOf([1])))).toEqual(['put 1', 'put 0', 'delete 3', 'delete 2']);
    expect(told(removalOperations(2))).toEqual(['delete 0', 'delete 2', 'delete 1']);
  });

  it('shows nobody a slot that is not there or leads elsewhere, at any step (property)', () => {
    const backends = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 8 });
    fc.assert(
      fc.property(backends, fc.array(fc.option(backends, { nil: undefined }), { maxLength: 6 }), (first, changes) => {
        const map = new Map(slotsOf(first).map((row) => [row.slot, row]));
        let before: readonly number[] = first;
        for (const change of changes) {
          const allowed = new Set([...before, ...(change ?? [])]);
          const present = Math.max(0, ...map.keys());
          for (const operation of change ? slotOperations(present, slotsOf(change)) : removalOperations(present)) {
            apply(map, operation);
            for (let pick = 1; pick <= (map.get(0)?.count ?? 0); pick++) expect(allowed).toContain(map.get(pick)?.backend);
          }
          expect([...map.values()].sort((a, b) => a.slot - b.slot)).toEqual(change ? slotsOf(change) : []);
          before = change ?? [];
        }
      }),
      { numRuns: 500 },
    );
  });

  it('clears what a write that was cut short left behind (property)', () => {
    const backends = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 8 });
    fc.assert(
      fc.property(backends, backends, backends, fc.nat(20), (first, second, third, cut) => {
        const map = new Map(slotsOf(first).map((row) => [row.slot, row]));
        for (const operation of slotOperations(first.length, slotsOf(second)).slice(0, cut)) apply(map, operation);
        for (const operation of slotOperations(Math.max(...map.keys()), slotsOf(third))) apply(map, operation);
        expect([...map.values()].sort((a, b) => a.slot - b.slot)).toEqual(slotsOf(third));
      }),
    );
  });
});

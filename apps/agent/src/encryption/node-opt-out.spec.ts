import type { NodeRow } from '@isthmus/model';
import { hasOptedOut, NodeOptOut } from './node-opt-out.ts';

const LABELS = { 'node-role.kubernetes.io/control-plane': '' };
const SELECTOR = 'node-role.kubernetes.io/control-plane';

it('is decided by the labels that are heard first, and kept', () => {
  const own = new NodeOptOut(SELECTOR, undefined);
  expect([own.isOptedOut, own.state]).toEqual([undefined, undefined]);
  expect([own.hear(LABELS), own.isOptedOut, own.state]).toEqual(['kept', true, { selector: SELECTOR, isOptedOut: true }]);
  expect(own.hear({ ...LABELS, a: 'b' })).toBe('same');
});

it('counts from the next start when labels change', () => {
  const own = new NodeOptOut(SELECTOR, undefined);
  own.hear({});
  expect([own.hear(LABELS), own.isOptedOut]).toEqual(['late', false]);
  const next = new NodeOptOut(SELECTOR, own.state);
  expect([next.isOptedOut, next.hear(LABELS)]).toEqual([true, 'same']);
  expect([own.hear({}), own.isOptedOut]).toEqual(['kept', false]);
});

it('asks again when it was found by another selector', () => {
  const own = new NodeOptOut('a=b', { selector: SELECTOR, isOptedOut: true });
  expect([own.isOptedOut, own.hear({ a: 'b' }), own.isOptedOut]).toEqual([undefined, 'kept', true]);
});

it('is never so without a selector, which selects nobody', () => {
  const own = new NodeOptOut('', { selector: SELECTOR, isOptedOut: true });
  expect([own.isOptedOut, own.hear(LABELS), own.state]).toEqual([false, 'same', undefined]);
});

it('is known of other nodes that have keys', () => {
  const said = [
    [0, 'key'],
    [0, ''],
    [255, 'key'],
  ].map(([encryptionKey, wireguardPublicKey]) => hasOptedOut({ encryptionKey, wireguardPublicKey } as NodeRow));
  expect(said).toEqual([true, false, false]);
});

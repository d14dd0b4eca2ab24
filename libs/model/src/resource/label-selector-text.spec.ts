import { matchesSelector } from './label-selector.ts';
import { parseLabelSelector } from './label-selector-text.ts';

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

it.each<[string, Record<string, string>, boolean]>([
  [CONTROL_PLANE, { [CONTROL_PLANE]: '' }, true],
  [CONTROL_PLANE, {}, false],
  [`!${CONTROL_PLANE}`, {}, true],
  ['a=b', { a: 'b' }, true],
  ['a == b', { a: 'c' }, false],
  ['a=', { a: '' }, true],
  ['a!=b', {}, true],
  ['a!=b', { a: 'b' }, false],
  ['a in (b, c)', { a: 'c' }, true],
  ['a in (b,c),d', { a: 'c' }, false],
  ['d , a notin (b,c)', { a: 'x', d: '' }, true],
  ['a notin (b,c)', { a: 'c' }, false],
])('%s selects %j: %s', (text, labels, expected) => {
  expect(matchesSelector(parseLabelSelector(text)!, labels)).toBe(expected);
});

it.each(['', ' ', ',', 'a,', 'a=b=c', 'a in b', 'a in ()b', '-a', 'a b', 'a=-', 'A/b/c'])('%j is none', (text) => {
  expect(parseLabelSelector(text)).toBeUndefined();
});

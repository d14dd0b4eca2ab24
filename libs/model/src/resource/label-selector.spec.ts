import { type LabelSelector, matchesSelector } from './label-selector.ts';

const LABELS = { app: 'web', tier: '' };

it.each<[LabelSelector, boolean]>([
  [{}, true],
  [{ matchLabels: {} }, true],
  [{ matchLabels: { app: 'web', tier: '' } }, true],
  [{ matchLabels: { app: 'web', zone: 'a' } }, false],
  [{ matchLabels: { app: 'db' } }, false],
  [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'web'] }] }, true],
  [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['db'] }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
  [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
  [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
  [{ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
])('%j selects: %s', (selector, selected) => {
  expect(matchesSelector(selector, LABELS)).toBe(selected);
});

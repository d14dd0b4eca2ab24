import { streamPhase } from './load.ts';

const FIELDS = { seconds: 1.25, sentUpdates: 100, sentBytes: 4000, updates: 101, bytes: 4100, duplicates: 0, unknown: 0 };

describe('what the load generator says', () => {
  it('is read line by line', () => {
    expect(streamPhase(JSON.stringify({ phase: 'announce', ...FIELDS }), 'announce')).toMatchObject(FIELDS);
  });

  it('is refused when it is about another phase, or lacks a figure', () => {
    expect(() => streamPhase(JSON.stringify({ phase: 'withdraw', ...FIELDS }), 'announce')).toThrow('instead of announce');
    const { updates: _, ...others } = FIELDS;
    expect(() => streamPhase(JSON.stringify({ phase: 'withdraw', ...others }), 'withdraw')).toThrow('without updates');
  });
});

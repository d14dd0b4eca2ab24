import { ageText, spanText } from './ago.ts';
import { renderObjects, valueText } from './generic-rows.ts';
import { wantsColour } from './paint.ts';
import { renderTable } from './print-table.ts';
import { sizeText } from './size-text.ts';

it('lays out columns and leaves no blanks at the ends', () => {
  expect(
    renderTable(
      ['A', 'LONG'],
      [
        ['1', ''],
        ['1234', 'x'],
      ],
    ),
  ).toBe('A      LONG\n1\n1234   x\n');
});

it('colours without shifting columns', () => {
  expect(renderTable(['A', 'B'], [[{ text: 'ok', tone: 'good' }, 'x']], true)).toBe(
    '\u001b[1mA\u001b[0m    \u001b[1mB\u001b[0m\n\u001b[32mok\u001b[0m   x\n',
  );
});

it('lets no control character of a foreign text reach the terminal', () => {
  expect(renderTable(['A'], [['a\u001b[31m\nb']])).toBe('A\na?[31m?b\n');
});

it('shows objects of any shape', () => {
  expect(renderObjects([{ a: 1 }, { a: [1, 'x'], rxBytes: { y: null } }])).toBe('A     RX-BYTES\n1\n1,x   {"y":null}\n');
  expect([valueText(undefined), valueText(false), renderObjects([])]).toEqual(['', 'false', 'no rows\n']);
});

it.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [7_199, '119m'],
  [7_200, '2h'],
  [200_000, '2d'],
  [-5, '0s'],
])('%i seconds are %s', (seconds, text) => {
  expect(spanText(seconds)).toBe(text);
});

it.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_536, '1.5 KiB'],
  [20 * 1024 * 1024, '20 MiB'],
  [5_000 * 1024 ** 4, '5000 TiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

it('shows no age of what has none', () => {
  expect([ageText(undefined, 0), ageText('soon', 0), ageText('1970-01-01T00:00:00Z', 5_000)]).toEqual(['', '', '5s']);
});

it('colours terminals only, and not against the wish of the person', () => {
  expect([
    wantsColour(true, {}),
    wantsColour(false, {}),
    wantsColour(true, { NO_COLOR: '1' }),
    wantsColour(true, { TERM: 'dumb' }),
  ]).toEqual([true, false, false, false]);
});

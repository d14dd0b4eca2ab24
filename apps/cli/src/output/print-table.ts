import { paint, type Tone } from './paint.ts';

/** A cell: its text, and what it means where that deserves a colour. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

const GAP = '   ';

/**
 * Lays cells out in columns: three blanks between them, no lines, the last column as long as it is.
 * @param headings in capitals, as people are used to
 * @returns text that ends with a line break
 */
export function renderTable(headings: readonly string[], rows: readonly (readonly Cell[])[], colour = false): string {
  const widths = columnWidths(headings, rows);
  const head = renderRow(
    headings.map((text): Cell => ({ text, tone: 'heading' })),
    widths,
    colour,
  );
  return [head, ...rows.map((row) => renderRow(row, widths, colour))].join('');
}

/** Width of each column: that of its longest text. */
export function columnWidths(headings: readonly string[], rows: readonly (readonly Cell[])[]): number[] {
  return headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => textOf(row[column] ?? '').length)));
}

/** One line of a table. A cell wider than its column pushes the rest to the right. */
export function renderRow(row: readonly Cell[], widths: readonly number[], colour = false): string {
  const last = row.length - 1;
  const cells = row.map((cell, column) => {
    const text = textOf(cell);
    const shown = typeof cell === 'string' ? text : paint(colour, cell.tone, text);
    return column === last ? shown : shown + ' '.repeat(Math.max(0, (widths[column] ?? 0) - text.length));
  });
  return `${cells.join(GAP).trimEnd()}\n`;
}

/** Control characters and line breaks of foreign texts must not reach the terminal. */
function textOf(cell: Cell): string {
  const text = typeof cell === 'string' ? cell : cell.text;
  return text.replace(/\p{Cc}/gu, '?');
}

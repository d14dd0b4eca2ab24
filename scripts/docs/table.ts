/** A table in Markdown. What stands between the bars may hold bars. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('');
}

/** What the machine says of itself and its tests, a line each on its console. */
export type Report =
  | { readonly kind: 'booted'; readonly kernel: string; readonly seconds: number }
  | { readonly kind: 'test'; readonly file: string; readonly name: string; readonly error?: string }
  | { readonly kind: 'file'; readonly file: string; readonly seconds: number }
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'end' };

/** Kernels write to the console too: our lines begin with this. */
const MARK = '@@isthmus ';

/** A report as a line. */
export function reportLine(report: Report): string {
  return `${MARK}${JSON.stringify(report)}\n`;
}

/** The report in a line of the console; undefined where there is none. */
export function readReport(line: string): Report | undefined {
  const at = line.indexOf(MARK);
  return at < 0 ? undefined : (JSON.parse(line.slice(at + MARK.length)) as Report);
}

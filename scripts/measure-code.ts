/**
 * Measures files and functions, prints one line per part of the tree, and fails on a file above 400 lines or a function above 80.
 * Generated code is left out; so are functions that register tests: they group, and nobody reads them as one.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const MAX_FILE_LINES = 400;
const WARN_FILE_LINES = 300;
const MAX_FUNCTION_LINES = 80;

interface Measured {
  readonly name: string;
  readonly lines: number;
}

function sourceFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.c', '*.h'], {
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => path !== '' && !path.includes('/generated/') && !path.endsWith('.d.ts') && existsSync(path));
}

/** True for a function that registers tests. */
function isGrouping(node: ts.Node): boolean {
  return /(^|[^.\w])(describe|test|it)(\.\w+)*\(/m.test(node.getText());
}

function functionName(node: ts.FunctionLikeDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  return named?.getText() ?? (ts.isConstructorDeclaration(node) ? 'constructor' : '(anonymous)');
}

function typescriptFunctions(path: string, text: string): Measured[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line;
  const found: Measured[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined && !isGrouping(node)) {
      const lines = line(node.getEnd()) - line(node.getStart()) + 1;
      found.push({ name: `${path}:${line(node.getStart()) + 1} ${functionName(node as ts.FunctionLikeDeclaration)}`, lines });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** C in this tree opens and closes a function's body with a brace in the first column. */
function cFunctions(path: string, text: string): Measured[] {
  const found: Measured[] = [];
  let open = -1;
  text.split('\n').forEach((line, index) => {
    if (line === '{') open = index;
    if (line === '}' && open >= 0) {
      found.push({ name: `${path}:${open + 1}`, lines: index - open + 1 });
      open = -1;
    }
  });
  return found;
}

function partOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  const part = top === 'libs' || top === 'apps' ? `${top}/${second}` : top;
  return path.endsWith('.spec.ts') ? `${part} (specs)` : part;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function spread(measured: readonly Measured[]): string {
  const lines = measured.map((one) => one.lines).sort((a, b) => a - b);
  const number = (value: number): string => String(value).padStart(5);
  return `${number(lines.length)}${number(percentile(lines, 0.5))}${number(percentile(lines, 0.9))}${number(lines.at(-1) ?? 0)}`;
}

const files = sourceFiles().map((path) => {
  const text = readFileSync(path, 'utf8');
  return {
    path,
    lines: text.split('\n').length - 1,
    functions: path.endsWith('.ts') ? typescriptFunctions(path, text) : cFunctions(path, text),
  };
});

console.log(`${'lines of'.padEnd(36)}  files  p50  p90  max   functions  p50  p90  max`);
for (const [part, members] of [...Map.groupBy(files, (file) => partOf(file.path))].sort(([a], [b]) => (a < b ? -1 : 1))) {
  console.log(
    `${part.padEnd(38)}${spread(members.map((file) => ({ name: file.path, lines: file.lines })))}       ${spread(members.flatMap((file) => file.functions))}`,
  );
}

for (const file of files) {
  if (file.lines > WARN_FILE_LINES && file.lines <= MAX_FILE_LINES)
    console.log(`warning: ${file.path} has ${file.lines} lines, and should have at most ${WARN_FILE_LINES}`);
}
const tooLong = [
  ...files
    .filter((file) => file.lines > MAX_FILE_LINES)
    .map((file) => `${file.path} has ${file.lines} lines, the limit is ${MAX_FILE_LINES}`),
  ...files
    .flatMap((file) => file.functions)
    .filter((one) => one.lines > MAX_FUNCTION_LINES)
    .map((one) => `${one.name} has ${one.lines} lines, the limit is ${MAX_FUNCTION_LINES}`),
];
for (const complaint of tooLong) console.error(`error: ${complaint}`);
process.exitCode = tooLong.length === 0 ? 0 : 1;

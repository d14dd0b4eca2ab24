import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineError, errorCodes } from '@isthmus/core';
import { loadDeclaring } from './declaring-modules.ts';
import { table } from './table.ts';

/** The CNI plugin's errors: it is C, and so its list is read as text. */
const PLUGIN_ERRORS = 'apps/cni/src/errors.h';
const TEXT = String.raw`((?:\s*"(?:[^"\\]|\\.)*")+)`;
const PLUGIN_ERROR = new RegExp(String.raw`struct error \w+ = \{\s*"(\w+)",\s*\d+,${TEXT},${TEXT}\};`, 'g');

/** The page of every error code that any module declares. A code that two modules declare is an error. */
export async function errorPage(root: string): Promise<string> {
  await loadDeclaring(root, /= defineError\(/);
  declarePluginErrors(readFileSync(join(root, PLUGIN_ERRORS), 'utf8'));
  const rows = errorCodes().map(({ code, meaning, action }) => [`\`${code}\``, sentence(meaning), sentence(action)]);
  return `# Error codes

Every error of every process has one of these codes, names the thing that it is about, and says what to do; the place that raises it may know
better than this table. The command line prints \`error: CODE object: message\` and \`what to do: …\`; processes log the same as JSON, and end
with status 78 when they cannot run as they are configured; the CNI plugin prints the code at the beginning of \`msg\`.

Written by \`scripts/generate-docs.ts\` from the declarations in the sources.

${table(['Code', 'When', 'What to do'], rows)}`;
}

function declarePluginErrors(source: string): void {
  const declared = [...source.matchAll(PLUGIN_ERROR)];
  if (declared.length !== source.split('struct error ').length - 2) throw new Error(`${PLUGIN_ERRORS}: an error cannot be read`);
  for (const [, code = '', meaning = '', action = ''] of declared) defineError(code, joined(meaning), joined(action));
}

/** String literals of C beside each other are one. */
function joined(literals: string): string {
  return [...literals.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join('');
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

import { errorCodes } from '@isthmus/core';
import { loadDeclaring } from './declaring-modules.ts';
import { table } from './table.ts';

/** The page of every error code that any module declares. A code that two modules declare is an error. */
export async function errorPage(root: string): Promise<string> {
  await loadDeclaring(root, /= defineError\(/);
  const rows = errorCodes().map(({ code, meaning, action }) => [`\`${code}\``, sentence(meaning), sentence(action)]);
  return `# Error codes

Every error of every process has one of these codes, names the thing that it is about, and says what to do; the place that raises it may know
better than this table. The command line prints \`error: CODE object: message\` and \`what to do: …\`; processes log the same as JSON, and end
with status 78 when they cannot run as they are configured; the CNI plugin prints the code at the beginning of \`msg\`.

Written by \`scripts/generate-docs.ts\` from the declarations in the sources.

${table(['Code', 'When', 'What to do'], rows)}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

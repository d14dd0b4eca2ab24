// Fails when a page links to a file of the repository that there is not, or to a heading that the page at the other end does not have.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadLinks } from './docs/dead-links.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' });

for (const page of pages.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))) {
  const read = (target: string): string | undefined => {
    const path = join(root, dirname(page), target);
    if (!existsSync(path)) return undefined;
    return path.endsWith('.md') ? readFileSync(path, 'utf8') : '';
  };
  for (const { link, why } of deadLinks(readFileSync(join(root, page), 'utf8'), read)) {
    console.error(`${relative('.', join(root, page))}: ${link}: ${why}`);
    process.exitCode = 1;
  }
}

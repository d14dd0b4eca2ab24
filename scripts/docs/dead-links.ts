/** A link that leads nowhere. */
export interface DeadLink {
  readonly link: string;
  readonly why: string;
}

/**
 * The relative links of a page in Markdown that lead nowhere. Links to other hosts are not looked at.
 * @param read text of the file that a link names, relative to the page; empty for a file or folder without headings; undefined when there is none
 */
export function deadLinks(page: string, read: (path: string) => string | undefined): DeadLink[] {
  return linksOf(page).flatMap((link) => {
    const [path = '', heading] = link.split('#');
    const text = path === '' ? page : read(decodeURI(path));
    if (text === undefined) return [{ link, why: 'no such file' }];
    if (heading !== undefined && !headingsOf(text).has(heading)) return [{ link, why: 'no such heading' }];
    return [];
  });
}

function linksOf(page: string): string[] {
  const targets = [...withoutCode(page).matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s+(\S+)/gm)];
  return targets.map(([, inline, reference]) => inline ?? reference ?? '').filter((link) => !/^[a-z][a-z+.-]*:/i.test(link));
}

/** Anchors as GitHub makes them: the second of two equal headings gets `-1`. */
function headingsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(page, false).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const anchor = anchorOf(heading);
    let name = anchor;
    for (let count = 1; anchors.has(name); count++) name = `${anchor}-${count}`;
    anchors.add(name);
  }
  return anchors;
}

function anchorOf(heading: string): string {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replaceAll(' ', '-');
}

/** Leaves out what looks like a link or a heading and is none: fenced blocks, and code between backticks unless it may stand in a heading. */
function withoutCode(page: string, inline = true): string {
  const text = page.replace(/^(```|~~~)[^\n]*\n[\s\S]*?^\1[ \t]*$/gm, '');
  return inline ? text.replace(/`[^`\n]*`/g, '``') : text;
}

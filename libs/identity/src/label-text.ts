/** Identity labels as `source:key=value`, in the canonical text that is stored and compared: sorted by key, each ended by `;`. */
export interface IdentityLabel {
  readonly source: string;
  readonly key: string;
  readonly value: string;
}

/** Canonical text of a set of labels. Of two labels with the same key the later wins. */
export function labelText(labels: Iterable<IdentityLabel>): string {
  const byKey = new Map<string, IdentityLabel>();
  for (const label of labels) byKey.set(label.key, label);
  return [...byKey.values()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ source, key, value }) => `${source}:${key}=${value};`)
    .join('');
}

/** Labels of a canonical text. Values hold no `;`: Kubernetes does not allow it. What has no `source:` counts as source `unspec`. */
export function parseLabelText(text: string): IdentityLabel[] {
  return text
    .split(';')
    .filter((part) => part !== '')
    .map((part) => {
      const colon = part.indexOf(':');
      const equals = part.indexOf('=');
      const hasSource = colon >= 0 && (equals < 0 || colon < equals);
      return {
        source: hasSource ? part.slice(0, colon) : 'unspec',
        key: part.slice(hasSource ? colon + 1 : 0, equals < 0 ? undefined : equals),
        value: equals < 0 ? '' : part.slice(equals + 1),
      };
    });
}

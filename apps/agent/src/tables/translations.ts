import { input, type Store, type Table } from '@isthmus/core';
import { existing, type FrontendRow } from '@isthmus/service';

const SEPARATOR = ' -> ';

/** Key of a translation: the frontend that clients connect to, and the backend they may be given. */
export function translationKey(frontend: string, backend: string): string {
  return `${frontend}${SEPARATOR}${backend}`;
}

/** The inverse of {@link translationKey}. */
export function parseTranslationKey(key: string): { frontend: string; backend: string } {
  const at = key.indexOf(SEPARATOR);
  return { frontend: key.slice(0, at), backend: key.slice(at + SEPARATOR.length) };
}

/** Declares the table of valid translations: a socket that uses any other is closed, so that its client resolves again. */
export function declareTranslations(store: Store, frontends: Table<FrontendRow>): Table<true> {
  return store.derive<true>({
    name: 'translations',
    inputs: [
      input(frontends, (key, row, before) =>
        [...(row ? existing(row) : []), ...(before ? existing(before) : [])].map((backend) => translationKey(key, backend)),
      ),
    ],
    compute: (key) => {
      const { frontend, backend } = parseTranslationKey(key);
      const row = frontends.get(frontend);
      return row && existing(row).includes(backend) ? true : undefined;
    },
  });
}

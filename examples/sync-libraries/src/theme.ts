/** A stylesheet whose parts come from a service: Sass's synchronous compiler, over promises. */
import { wait } from '@tendril/core';
import * as sass from 'sass';

/** Fetches one part of a theme, as asynchronous clients do. */
export type FetchPart = (name: string) => Promise<string>;

/** Compiles `source`. What it loads by `@use 'part:name'` is fetched while its greenlet is parked. */
export function compileTheme(source: string, fetchPart: FetchPart): string {
  return sass.compileString(source, {
    importers: [
      {
        canonicalize: (url) => (url.startsWith('part:') ? new URL(url) : null),
        load: (url) => ({ contents: wait(fetchPart(url.pathname)), syntax: 'scss' }),
      },
    ],
  }).css;
}

/** The same by the `renderSync` and the importers of older build scripts. */
export function renderTheme(source: string, fetchPart: FetchPart): string {
  const { css } = sass.renderSync({
    data: source,
    silenceDeprecations: ['legacy-js-api', 'import'],
    importer: (url: string) => ({ contents: wait(fetchPart(url)) }),
  });
  return String(css);
}

/** A page: fetched, and read for its title and its links. */
import { wait } from '@tendril/core';
import { Parser } from 'htmlparser2';

export interface Page {
  status: number;
  title: string;
  /** Absolute, without fragments, each once. */
  links: string[];
}

/** Characters of a page that are read. */
const longest = 2_000_000;

function read(html: string, base: string): Pick<Page, 'title' | 'links'> {
  const links = new Set<string>();
  let title = '';
  let inTitle = false;
  const parser = new Parser({
    onopentag(name, { href }) {
      inTitle = name === 'title';
      if (name !== 'a' || href === undefined || !URL.canParse(href, base)) return;
      const url = new URL(href, base);
      url.hash = '';
      links.add(url.href);
    },
    ontext(text) {
      if (inTitle) title += text;
    },
    onclosetag() {
      inTitle = false;
    },
  });
  parser.end(html.slice(0, longest));
  return { title: title.trim(), links: [...links] };
}

/** Parks until the page is there. @throws TypeError of fetch, for a site that does not answer */
export function fetchPage(url: string, timeout: number): Page {
  return wait(
    async (signal) => {
      const response = await fetch(url, { signal });
      const isHtml = response.headers.get('content-type')?.startsWith('text/html');
      const text = isHtml ? await response.text() : '';
      if (!isHtml) await response.body?.cancel();
      return { status: response.status, ...read(text, response.url || url) };
    },
    { timeout },
  );
}

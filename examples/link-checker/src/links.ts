/** Finds the links of a page, and the anchors it offers. */
import { Parser } from 'htmlparser2';
import { Marked } from 'marked';

export interface PageLinks {
  /** As written, without duplicates. */
  links: string[];
  /** Names that a fragment may point to. */
  anchors: Set<string>;
}

/** Attributes that hold one URL each. */
const urlAttributes = ['href', 'src', 'poster', 'data'];

export function htmlLinks(html: string): PageLinks {
  const links = new Set<string>();
  const anchors = new Set<string>();
  const parser = new Parser({
    onopentag(tag, attributes) {
      if (attributes.id) anchors.add(attributes.id);
      if (tag === 'a' && attributes.name) anchors.add(attributes.name);
      for (const name of urlAttributes) {
        const value = attributes[name]?.trim();
        if (value) links.add(value);
      }
      for (const candidate of attributes.srcset?.split(',') ?? []) {
        const url = candidate.trim().split(/\s+/)[0];
        if (url) links.add(url);
      }
    },
  });
  parser.end(html);
  return { links: [...links], anchors };
}

/** The anchor that GitHub and npm make of a heading. */
export function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/<[^>]*>/g, '')
    .replace(/&[a-z#0-9]+;/g, '')
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .trim()
    .replace(/ /g, '-');
}

/** Markdown is rendered and read as HTML: inline HTML and reference links come out right by that. */
export function markdownLinks(markdown: string): PageLinks {
  const html = new Marked().parse(markdown, { async: false });
  const page = htmlLinks(html);
  for (const [, text] of html.matchAll(/<h[1-6][^>]*>([\s\S]*?)<\/h[1-6]>/g)) {
    const base = slug(text ?? '');
    let name = base;
    for (let n = 1; page.anchors.has(name); n++) name = `${base}-${n}`;
    page.anchors.add(name);
  }
  return page;
}

/** The links of a page by its media type; undefined for what is not a page. */
export function pageLinks(body: string, contentType: string): PageLinks | undefined {
  if (contentType.startsWith('text/markdown')) return markdownLinks(body);
  if (contentType.startsWith('text/html')) return htmlLinks(body);
  return undefined;
}

/** An absolute http(s) URL without its fragment, and the fragment; undefined for any other link. */
export function resolveLink(
  link: string,
  page: string,
): { url: string; fragment: string } | undefined {
  let url: URL;
  try {
    url = new URL(link, page);
  } catch {
    return undefined;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const raw = url.hash.slice(1);
  url.hash = '';
  let fragment = raw;
  try {
    fragment = decodeURIComponent(raw);
  } catch {
    // not percent-encoded: taken as it stands
  }
  return { url: url.href, fragment };
}

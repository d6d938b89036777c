/** The one kind of page the site makes itself: a list of links. */

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (char) => escapes[char] ?? char);

export const htmlHeaders = { 'content-type': 'text/html; charset=utf-8' };

export function linkList(title: string, hrefs: string[]): string {
  const items = hrefs.map(
    (href) => `<li><a href="${escapeHtml(href)}">${escapeHtml(href)}</a></li>`,
  );
  return `<!doctype html><title>${escapeHtml(title)}</title><ul>${items.join('\n')}</ul>`;
}

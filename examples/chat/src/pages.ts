/** The page and what it needs, read once. */
import { readFileSync } from 'node:fs';
import type { Application } from '@tendril/wsgi';

// What is said in a room is shown by textContent, and would be no code even if it were not.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

function page(name: string, type: string): Application {
  const content = readFileSync(new URL(`../public/${name}`, import.meta.url));
  return (_environ, startResponse) => {
    startResponse('200 OK', [
      ['Content-Type', `${type}; charset=utf-8`],
      ['Content-Security-Policy', policy],
      ['Referrer-Policy', 'no-referrer'],
      ['X-Content-Type-Options', 'nosniff'],
      ['Cache-Control', 'no-cache'],
    ]);
    return [content];
  };
}

export const pages: Readonly<Record<string, Application>> = {
  'GET /': page('index.html', 'text/html'),
  'GET /chat.js': page('chat.js', 'text/javascript'),
  'GET /transports.js': page('transports.js', 'text/javascript'),
  'GET /chat.css': page('chat.css', 'text/css'),
};

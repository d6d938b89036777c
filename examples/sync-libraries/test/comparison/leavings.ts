/** What a program has left behind, without what is free: the order of users, times, ids, random names. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { hashOf, isSealed } from './case.js';

/** What differs from one run to the next in plain Node too, in JSON of it all. */
const free: [RegExp, string][] = [
  [/(?<=\b(?:time|pid)\\?":)\d+/g, '0'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<date>'],
  // write-file-atomic's name for a file before it is in its place.
  [/\.\d{6,10}(?=')/g, '.<number>'],
];

function withoutFree(text: string): string {
  return free.reduce((so, [pattern, by]) => so.replaceAll(pattern, by), text);
}

/** A log's lines by the user who is named in each, in that user's order. */
export function linesByUser(log: string): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  for (const line of log.split('\n')) {
    const [, user = 'nobody'] = /\buser\W+(\d+)/.exec(line) ?? [];
    lines[user] ??= [];
    lines[user].push(line);
  }
  return lines;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * `*.log` is a log of all users, `*.sealed` what any of them was the last to write, and the order of the
 * keys in JSON is that of the users.
 */
function contents(file: string): unknown {
  const bytes = readFileSync(file);
  const text = bytes.toString();
  if (file.endsWith('.log')) return linesByUser(text);
  if (file.endsWith('.sealed')) return isSealed(text) ? 'whole' : `torn: ${text}`;
  if (file.endsWith('.json')) return parsed(text);
  return Buffer.from(text).equals(bytes) && text.length < 10_000 ? text : hashOf(bytes);
}

/** All below a folder: files with contents and modes, links with their targets. */
export function treeOf(folder: string): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  if (!existsSync(folder)) return tree;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const at = path.join(folder, name);
    const stats = lstatSync(at);
    const mode = (stats.mode & 0o777).toString(8);
    if (stats.isSymbolicLink()) tree[name] = { link: readlinkSync(at) };
    else if (stats.isDirectory()) tree[name] = { folder: mode };
    else tree[name] = { mode, contents: contents(at) };
  }
  return tree;
}

/** The same, without what is free in its texts, and where the folders of the run are. */
export function comparable<T>(value: T, root: string): T {
  return JSON.parse(withoutFree(JSON.stringify(value ?? null).replaceAll(root, '<root>'))) as T;
}

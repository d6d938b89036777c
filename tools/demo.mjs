// `npm run demo`: the link checker; `npm run demo -- service`: the shop; `npm run demo -- zero`: the
// application that is not changed. More arguments are theirs.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { root, turbo } from './turbo.mjs';

/** @type {Record<string, string>} */
const demos = { service: 'shop', zero: 'zero' };

const [first = '', ...rest] = process.argv.slice(2);
const isNamed = Object.hasOwn(demos, first);
const folder = isNamed ? demos[first] : 'link-checker';
if (!turbo(['build', `--filter=@tendril/example-${folder}...`], { quiet: true })) process.exit(1);
const main = path.join(root, 'examples', folder, 'dist', 'main.js');
const args = isNamed ? rest : process.argv.slice(2);
// Ctrl-C is the demonstration's: it ends by itself.
process.on('SIGINT', () => {});
const { status, signal } = spawnSync(process.execPath, [main, ...args], { stdio: 'inherit' });
if (signal) process.kill(process.pid, signal);
process.exitCode = status ?? 1;

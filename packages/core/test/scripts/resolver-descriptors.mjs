// Looks a name of a hosts file up before, while and after there are no file descriptors left.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { AresResolver } from '@tendril/core/resolver';
import { VirtualClock } from '@tendril/core/testing';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

fewDescriptors(60);
const [hostsFile] = process.argv.slice(2);
const clock = VirtualClock.install({ autoJump: false });
const resolver = new AresResolver({ hostsFile });
const lookup = promisify(resolver.lookup);
/** @param {string} when */
const show = async (when) => console.log(`${when}: ${await lookup('x.test', { family: 4 })}`);

await show('before');
fs.writeFileSync(hostsFile, '10.0.0.2 x.test\n');
const open = [];
try {
  for (;;) open.push(fs.openSync('/dev/null'));
} catch {
  // none is left
}
clock.advance(1000);
await show('without descriptors');
for (const fd of open) fs.closeSync(fd);
clock.advance(1000);
await show('with some again');
resolver.close();

/** What the listeners of an HTTP server throw, with and without the flag. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { programs, start, withFlag } from './program.js';

/** Serves one request, in which `handler` runs. */
const serving = (handler: string, before = '') => `
const http = require('node:http');
${before}
const server = http.createServer((req, res) => { ${handler} });
server.listen(0, '127.0.0.1', () => {
  const client = http.request({ port: server.address().port, method: 'POST', agent: false });
  client.on('error', () => {});
  client.end('body');
});`;

const watched = `process.on('uncaughtException', (error, origin) => {
  console.log(error.message, origin);
  process.exit(3);
});`;

const file = programs({
  'throws.cjs': serving('throw new RangeError("from the handler");'),
  'handled.cjs': serving('throw new Error("seen");', watched),
  'end.cjs': serving('req.resume().on("end", () => { throw new Error("at the end"); });', watched),
  'async.cjs': serving('(async () => { await null; throw new Error("async"); })();', watched),
  'goes-on.cjs': serving(
    'res.end(); server.close(); throw new Error("first");',
    'process.on("uncaughtException", (error) => console.log(error.message));',
  ),
});

describe('an error that a listener throws', { concurrency: 2 }, () => {
  it('is reported by Node, with its line, and ends the process', async () => {
    const { stderr, code } = await withFlag([file('throws.cjs')]);
    assert.equal(code, 1);
    assert.match(stderr, /throws\.cjs:4\nconst server.*\n +\^\n\nRangeError: from the handler\n/);
  });

  for (const name of ['handled.cjs', 'end.cjs', 'async.cjs', 'goes-on.cjs'])
    it(`in ${name} is to process.on('uncaughtException') what it is without the flag`, async () => {
      const plain = await start([file(name)]).ended;
      assert.notEqual(plain.stdout, '');
      assert.deepEqual(await withFlag([file(name)]), plain);
    });
});

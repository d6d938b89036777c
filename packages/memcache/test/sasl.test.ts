import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGate, type Service, startService } from '@tendril/adapter-suite';
import { run, spawn, wait } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import { AuthenticationError, Client, type Options } from '#src/index.js';
import { failureOf, nameOf, until } from './helpers.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tendril-sasl-'));
const login: Options = { username: 'ann', password: 'se:cr@t' };

/**
 * memcached asks SASL's library, and that this daemon, by its own protocol: user, password, service and
 * realm, each with its length; the answer likewise. So no data base of passwords is needed.
 */
function openDaemon(): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let got = Buffer.alloc(0);
    socket.on('data', (piece) => {
      got = Buffer.concat([got, piece]);
      const fields: string[] = [];
      for (let at = 0; at + 2 <= got.length; ) {
        const end = at + 2 + got.readUInt16BE(at);
        if (end <= got.length) fields.push(got.toString('utf8', at + 2, end));
        at = end;
      }
      if (fields.length < 4) return;
      const right = fields[0] === login.username && fields[1] === login.password;
      socket.end(right ? '\0\x02OK' : '\0\x02NO');
    });
  });
  return server.listen(path.join(folder, 'mux'));
}

let daemon: Server;
let service: Service;

before(async () => {
  const lines = ['pwcheck_method: saslauthd', `saslauthd_path: ${folder}/mux`, 'mech_list: plain'];
  writeFileSync(path.join(folder, 'memcached.conf'), lines.join('\n'));
  daemon = openDaemon();
  await once(daemon, 'listening');
  chmodSync(folder, 0o755);
  chmodSync(path.join(folder, 'mux'), 0o777);
  process.env.SASL_CONF_PATH = folder;
  service = await startService('memcached', ['-S']);
});

after(async () => {
  await service.stop();
  daemon.close();
  await once(daemon, 'close');
  rmSync(folder, { recursive: true });
  await checkLeaks();
});

test('the login is given by options, by the address, or by the environment', () =>
  run(() => {
    const name = nameOf(service);
    using byOptions = Client.create(name, login);
    assert.equal(byOptions.set('a', 'b'), true);
    using byAddress = Client.create(`${login.username}:${login.password}@${name}`);
    assert.equal(String(byAddress.get('a').value), 'b');
    process.env.MEMCACHE_USERNAME = login.username;
    process.env.MEMCACHE_PASSWORD = login.password;
    using byEnvironment = Client.create(name);
    delete process.env.MEMCACHE_USERNAME;
    delete process.env.MEMCACHE_PASSWORD;
    assert.equal(String(byEnvironment.get('a').value), 'b');
  }) as Promise<void>);

test('a wrong password, or none, is an error that says so, for all that wait', () =>
  run(() => {
    for (const options of [{ ...login, password: 'wrong' }, {}]) {
      using client = Client.create(nameOf(service), options);
      const all = [1, 2, 3].map(() => spawn(() => failureOf(() => client.get('a')).error));
      for (const each of all) assert.ok(each.get() instanceof AuthenticationError);
      assert.equal(client.servers[0]?.dead, false);
    }
  }) as Promise<void>);

test('a kill while the login is on its way harms nobody', () =>
  run(() => {
    const gate = wait(openGate(service));
    gate.freeze();
    using client = Client.create(nameOf(gate), login);
    const victim = spawn(() => client.set('a', 'from the dead'));
    const other = spawn(() => String(client.get('a').value));
    until('the login is on its way', () => gate.accepted === 1);
    victim.kill();
    gate.thaw();
    assert.equal(other.get(), 'b', 'what was not sent yet is not sent');
    client.close();
    wait(gate.close());
  }) as Promise<void>);

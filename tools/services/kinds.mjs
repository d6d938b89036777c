// The servers that tests need: how each is prepared, started, and known to be ready.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { locate } from '../programs.mjs';

/** @typedef {{ uid: number, gid: number } | undefined} Owner */
/**
 * @typedef {object} Kind
 * @property {string} [user]
 * @property {string} [password]
 * @property {string} [database]
 * @property {NodeJS.Signals} stopSignal
 * @property {(folder: string) => Owner} prepare makes the data, and says as whom the server runs
 * @property {(folder: string, port: number) => { command: string, args: string[], ready: RegExp }} start
 */

const user = 'tendril';
const password = 'tendril';

/**
 * Servers of databases refuse root. The first of these users that exists.
 *
 * @param {string[]} names
 * @returns {Owner}
 */
function unprivileged(...names) {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of names) {
    try {
      const id = (/** @type {string} */ flag) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // there is no such user
    }
  }
  return undefined;
}

/** @param {string} folder @param {Owner} owner @param {boolean} [deep] */
function give(folder, owner, deep = false) {
  if (!owner) return;
  chownSync(folder, owner.uid, owner.gid);
  if (deep)
    for (const name of readdirSync(folder))
      chownSync(path.join(folder, name), owner.uid, owner.gid);
}

/** A self-signed certificate for localhost. @param {string} folder */
function certificate(folder) {
  const [openssl = ''] = locate('openssl');
  const key = path.join(folder, 'server.key');
  const files = ['-keyout', key, '-out', path.join(folder, 'server.crt')];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync(openssl, ['req', '-x509', '-days', '2', ...algorithm, ...files, ...names], {
    stdio: 'pipe',
  });
  chmodSync(key, 0o600);
}

/** @type {Kind} */
const postgres = {
  user,
  password,
  database: 'postgres',
  stopSignal: 'SIGINT', // "fast": does not wait for clients
  prepare(folder) {
    const [initdb = ''] = locate('initdb', 'postgres', 'openssl');
    const owner = unprivileged('postgres', 'nobody');
    const secret = path.join(folder, 'password');
    writeFileSync(secret, password);
    certificate(folder);
    give(folder, owner, true);
    const data = path.join(folder, 'data');
    const args = ['-D', data, '-U', user, '-A', 'scram-sha-256', '--pwfile', secret, '--no-sync'];
    execFileSync(initdb, [...args, '-E', 'UTF8', '--locale=C.UTF-8'], {
      cwd: folder,
      stdio: 'pipe',
      ...owner,
    });
    return owner;
  },
  start(folder, port) {
    const [command = ''] = locate('postgres');
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      fsync: 'off',
      max_connections: '200',
      wal_level: 'logical',
      ssl: 'on',
      ssl_cert_file: path.join(folder, 'server.crt'),
      ssl_key_file: path.join(folder, 'server.key'),
    };
    const pairs = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const args = ['-D', path.join(folder, 'data'), '-p', String(port), ...pairs];
    return { command, args, ready: /ready to accept connections/ };
  },
};

/** @type {Kind} */
const mariadb = {
  user,
  password,
  database: 'tendril',
  stopSignal: 'SIGTERM',
  prepare(folder) {
    const [install = ''] = locate('mariadb-install-db', 'mariadbd');
    const owner = unprivileged('mysql', 'nobody');
    const data = path.join(folder, 'data');
    mkdirSync(data);
    mkdirSync(path.join(folder, 'tmp'));
    certificate(folder);
    const statements = [
      'CREATE DATABASE IF NOT EXISTS tendril;',
      `CREATE USER IF NOT EXISTS '${user}'@'127.0.0.1' IDENTIFIED BY '${password}';`,
      `CREATE USER IF NOT EXISTS '${user}'@'localhost' IDENTIFIED BY '${password}';`,
      `GRANT ALL ON *.* TO '${user}'@'127.0.0.1';`,
      `GRANT ALL ON *.* TO '${user}'@'localhost';`,
    ];
    writeFileSync(path.join(folder, 'init.sql'), `${statements.join('\n')}\n`);
    give(folder, owner, true);
    // A server that starts removes all temporary tables from its tmpdir: in /tmp also those of others.
    const args = ['--no-defaults', `--datadir=${data}`, `--tmpdir=${folder}/tmp`, '--skip-test-db'];
    execFileSync(install, [...args, '--auth-root-authentication-method=normal'], {
      cwd: folder,
      stdio: 'pipe',
      ...owner,
    });
    return owner;
  },
  start(folder, port) {
    const [command = ''] = locate('mariadbd');
    const settings = {
      datadir: path.join(folder, 'data'),
      tmpdir: path.join(folder, 'tmp'),
      socket: path.join(folder, 'mysqld.sock'),
      'pid-file': path.join(folder, 'mysqld.pid'),
      'init-file': path.join(folder, 'init.sql'),
      port: String(port),
      'bind-address': '127.0.0.1',
      'ssl-cert': path.join(folder, 'server.crt'),
      'ssl-key': path.join(folder, 'server.key'),
      'max-connections': '300',
      'innodb-buffer-pool-size': '64M',
      'innodb-flush-log-at-trx-commit': '0',
    };
    const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    return { command, args: ['--no-defaults', ...args], ready: /ready for connections/ };
  },
};

/** @type {Kind} */
const redis = {
  password,
  stopSignal: 'SIGTERM',
  prepare(folder) {
    locate('redis-server');
    const owner = unprivileged('redis', 'nobody');
    give(folder, owner);
    return owner;
  },
  start(folder, port) {
    const [command = ''] = locate('redis-server');
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    const none = ['--save', '', '--appendonly', 'no', '--requirepass', password];
    return { command, args: [...args, ...none], ready: /Ready to accept connections/ };
  },
};

/** @type {Kind} */
const memcached = {
  stopSignal: 'SIGKILL', // it keeps nothing, and takes a second over SIGTERM
  prepare() {
    locate('memcached');
    return undefined;
  },
  start(_folder, port) {
    const [command = ''] = locate('memcached');
    const args = ['-u', 'nobody', '-l', '127.0.0.1', '-p', String(port), '-m', '64'];
    return { command, args, ready: /(?:)/ };
  },
};

/** @type {Record<string, Kind>} */
export const kinds = { postgres, mariadb, redis, memcached };

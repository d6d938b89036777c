/** What crypto computes for long, with good and bad arguments. */
import assert from 'node:assert/strict';
import crypto, { type KeyPairKeyObjectResult } from 'node:crypto';
import { test } from 'node:test';
import { run } from '@tendril/core';
import { isPatched, patchCrypto, restore } from '@tendril/core/monkey';
import { assertNoSwitch } from '@tendril/core/testing';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

type Loose = (...args: unknown[]) => unknown;
const loose = (name: string, ...args: unknown[]): unknown =>
  ((crypto as unknown as Record<string, Loose>)[name] as Loose)(...args);

// As Node has it: made once, before anything is patched.
const rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 });
const ed = crypto.generateKeyPairSync('ed25519');
const x = [crypto.generateKeyPairSync('x25519'), crypto.generateKeyPairSync('x25519')] as const;
const data = Buffer.from('what is signed');

const derived: Row[] = [
  { title: 'pbkdf2', call: () => crypto.pbkdf2Sync('secret', 'salt', 1000, 32, 'sha256') },
  { title: 'pbkdf2: Buffers', call: () => crypto.pbkdf2Sync(data, data, 1, 20, 'sha1') },
  {
    title: 'pbkdf2: an ArrayBuffer',
    call: () => loose('pbkdf2Sync', new ArrayBuffer(3), 's', 1, 2, 'sha1'),
  },
  {
    title: 'pbkdf2: no length',
    call: () => crypto.pbkdf2Sync('s', 's', 1, 0, 'sha512'),
    parks: 'either',
  },
  { title: 'pbkdf2: no digest', call: () => loose('pbkdf2Sync', 's', 's', 1, 20) },
  { title: 'pbkdf2: a bad digest', call: () => crypto.pbkdf2Sync('s', 's', 1, 20, 'sha99') },
  { title: 'pbkdf2: no iterations', call: () => crypto.pbkdf2Sync('s', 's', 0, 20, 'sha1') },
  { title: 'pbkdf2: a bad length', call: () => crypto.pbkdf2Sync('s', 's', 1, -1, 'sha1') },
  {
    title: 'pbkdf2: a bad password',
    call: () => crypto.pbkdf2Sync(5 as never, 's', 1, 20, 'sha1'),
  },
  { title: 'scrypt', call: () => crypto.scryptSync('secret', 'salt', 32) },
  { title: 'scrypt: costs', call: () => crypto.scryptSync('s', 's', 16, { N: 1024, r: 4, p: 2 }) },
  { title: 'scrypt: undefined', call: () => crypto.scryptSync('s', 's', 16, undefined) },
  {
    title: 'scrypt: too much memory',
    call: () => crypto.scryptSync('s', 's', 16, { maxmem: 1024 }),
  },
  { title: 'scrypt: a bad cost', call: () => crypto.scryptSync('s', 's', 16, { N: 1000 }) },
  {
    title: 'scrypt: two names of one cost',
    call: () => crypto.scryptSync('s', 's', 16, { N: 16, cost: 16 }),
  },
  { title: 'scrypt: a bad salt', call: () => crypto.scryptSync('s', 5 as never, 16) },
  { title: 'hkdf', call: () => crypto.hkdfSync('sha256', 'key', 'salt', 'info', 42) },
  {
    title: 'hkdf: a KeyObject',
    call: () => crypto.hkdfSync('sha256', crypto.createSecretKey(data), '', '', 5),
  },
  { title: 'hkdf: too long', call: () => crypto.hkdfSync('sha256', 'key', 's', 'i', 8161) },
  { title: 'hkdf: a bad digest', call: () => crypto.hkdfSync('sha99', 'key', 's', 'i', 8) },
  {
    title: 'hkdf: too much info',
    call: () => crypto.hkdfSync('sha256', 'key', 's', 'i'.repeat(1025), 8),
  },
];

const argon2: Row[] = [
  {
    message: 'password',
    nonce: 'a long nonce',
    parallelism: 1,
    tagLength: 16,
    memory: 64,
    passes: 2,
  },
  { message: 'password', nonce: 'short', parallelism: 1, tagLength: 16, memory: 64, passes: 2 },
  { message: 'password' },
].map((parameters, at) => ({
  title: `argon2: ${at}`,
  when: 'argon2Sync' in crypto,
  call: () => loose('argon2Sync', 'argon2id', parameters),
}));

const rest: Row[] = [
  { title: 'sign: rsa', call: () => crypto.sign('sha256', data, rsa.privateKey) },
  { title: 'sign: ed25519', call: () => crypto.sign(null, data, ed.privateKey) },
  { title: 'sign: a public key', call: () => crypto.sign('sha256', data, rsa.publicKey) },
  { title: 'sign: a bad digest', call: () => crypto.sign('none', data, rsa.privateKey) },
  {
    title: 'sign: a digest for ed25519',
    call: () => crypto.sign('sha256', data, ed.privateKey),
    parks: 'either',
  },
  { title: 'sign: no key', call: () => crypto.sign('sha256', data, undefined as never) },
  {
    title: 'sign: padding',
    call: () => crypto.sign('sha256', data, { key: rsa.privateKey, padding: 99 }),
    parks: 'either',
  },
  {
    title: 'verify: right',
    call: () =>
      crypto.verify('sha256', data, rsa.publicKey, crypto.sign('sha256', data, rsa.privateKey)),
  },
  { title: 'verify: wrong', call: () => crypto.verify('sha256', data, rsa.publicKey, data) },
  {
    title: 'verify: no signature',
    call: () => crypto.verify('sha256', data, rsa.publicKey, 5 as never),
  },
  {
    title: 'diffieHellman',
    call: () => crypto.diffieHellman({ privateKey: x[0].privateKey, publicKey: x[1].publicKey }),
    parks: crypto.diffieHellman.length === 2,
  },
  {
    title: 'diffieHellman: keys that do not fit',
    call: () => crypto.diffieHellman({ privateKey: x[0].privateKey, publicKey: rsa.publicKey }),
  },
  {
    title: 'encapsulate, decapsulate',
    when: 'encapsulate' in crypto,
    call() {
      const { publicKey, privateKey } = loose(
        'generateKeyPairSync',
        'ml-kem-768',
      ) as KeyPairKeyObjectResult;
      const made = loose('encapsulate', publicKey) as { sharedKey: Buffer; ciphertext: Buffer };
      const back = loose('decapsulate', privateKey, made.ciphertext) as Buffer;
      return [Object.keys(made), made.sharedKey.equals(back), made.ciphertext.length];
    },
  },
  {
    title: 'encapsulate: a bad key',
    when: 'encapsulate' in crypto,
    call: () => loose('encapsulate', ed.publicKey),
    parks: 'either',
  },
  {
    title: 'randomFill: many',
    call: () => crypto.randomFillSync(Buffer.alloc(100_000)),
    view: (b: Buffer) => [b.length, b.constructor.name, b.some((byte) => byte > 0)],
  },
  {
    title: 'randomFill: a part',
    call: () => crypto.randomFillSync(Buffer.alloc(100_002), 1, 100_000),
    view: (b: Buffer) => [b[0], b[100_001], b.some((byte) => byte > 0)],
  },
  {
    title: 'randomFill: few',
    call: () => crypto.randomFillSync(new Uint32Array(4)).length,
    parks: false,
  },
  {
    title: 'randomFill: a bad part',
    call: () => crypto.randomFillSync(Buffer.alloc(100_000), 1, 100_000),
  },
  { title: 'randomFill: a number', call: () => crypto.randomFillSync(5 as never) },
  {
    title: 'randomBytes: many',
    call: () => crypto.randomBytes(100_000),
    view: (b: Buffer) => [b.length, b.constructor.name],
  },
  { title: 'randomBytes: few', call: () => crypto.randomBytes(16).length, parks: false },
  { title: 'randomBytes: too many', call: () => crypto.randomBytes(2 ** 40) },
  { title: 'randomBytes: text', call: () => crypto.randomBytes('100000' as never) },
];

testTable({ file: import.meta.url, patch: patchCrypto }, [...derived, ...argon2, ...rest]);

test('patchCrypto patches every function that ends in Sync; callbacks are left alone', async () => {
  patchCrypto();
  try {
    for (const name of Object.keys(crypto))
      if (name.endsWith('Sync')) assert.ok(isPatched('crypto', name), name);
    const signature = await run(() =>
      assertNoSwitch(
        () =>
          new Promise((resolve) =>
            crypto.sign(null, data, ed.privateKey, (_, made) => resolve(made)),
          ),
      ),
    );
    assert.deepEqual(signature, crypto.sign(null, data, ed.privateKey));
  } finally {
    restore();
  }
});

/** What zlib and crypto compute on other threads is of what they were given, whatever becomes of that meanwhile. */
import assert from 'node:assert/strict';
import crypto, { type KeyObject } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { joinall, run, spawn, wait } from '@tendril/core';
import { patchCrypto, patchZlib, restore } from '@tendril/core/monkey';
import { busyThreads, leaveNothing } from '../helpers.js';

leaveNothing();

type Loose = (...args: unknown[]) => unknown;
const of = (module: object, name: string) => (module as Record<string, Loose>)[name] as Loose;
const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('hex');

/** What a call is given, and may be changed when it has parked; and the call, which gives the same each time. */
interface Case {
  readonly bytes: readonly Uint8Array[];
  readonly options?: Record<string, unknown>;
  call(): unknown;
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const cases: Record<string, () => Case> = {};

for (const kind of ['an Uint8Array', 'an ArrayBuffer'])
  cases[`pbkdf2Sync of ${kind}`] = () => {
    const bytes = [bytesOf('password'), bytesOf('salt')] as const;
    const [password, salt] = kind === 'an ArrayBuffer' ? bytes.map((each) => each.buffer) : bytes;
    const call = () => hex(of(crypto, 'pbkdf2Sync')(password, salt, 10, 16, 'sha256'));
    return { bytes, call };
  };
cases.scryptSync = () => {
  const [password, salt] = [bytesOf('password'), bytesOf('salt')];
  const options = { N: 16 };
  return {
    ...{ bytes: [password, salt], options },
    call: () => hex(crypto.scryptSync(password, salt, 16, options)),
  };
};
cases.hkdfSync = () => {
  const [key, salt, info] = [bytesOf('key'), bytesOf('salt'), bytesOf('info')];
  return {
    bytes: [key, salt, info],
    call: () => hex(crypto.hkdfSync('sha256', key, salt, info, 16)),
  };
};
cases.argon2Sync = () => {
  const [message, nonce] = [bytesOf('password'), bytesOf('a long nonce')];
  const options = { message, nonce, parallelism: 1, tagLength: 16, memory: 64, passes: 2 };
  return {
    ...{ bytes: [message, nonce], options },
    call: () => hex(of(crypto, 'argon2Sync')('argon2id', options)),
  };
};
cases.checkPrimeSync = () => {
  const prime = new Uint8Array(crypto.generatePrimeSync(64));
  return { bytes: [prime], call: () => crypto.checkPrimeSync(prime) };
};
cases.generatePrimeSync = () => {
  const [add, rem] = [new Uint8Array([30]), new Uint8Array([1])];
  const options = { add, rem };
  const call = () => BigInt(`0x${hex(crypto.generatePrimeSync(32, options))}`) % 30n;
  return { bytes: [add, rem], options: options as never, call };
};

const der = (key: KeyObject) =>
  new Uint8Array(
    key.export(
      key.type === 'private'
        ? { type: 'pkcs8', format: 'der' }
        : ({ type: 'spki', format: 'der' } as never),
    ) as Buffer,
  );
const { publicKey, privateKey } = crypto.generateKeyPairSync('ed25519');
const text = Buffer.from('text');
cases.sign = () => {
  const [data, key] = [bytesOf('text'), der(privateKey)];
  const options = { key, format: 'der', type: 'pkcs8' };
  return {
    ...{ bytes: [data, key], options },
    call: () => hex(crypto.sign(null, data, options as never)),
  };
};
cases.verify = () => {
  const data = bytesOf('text');
  const signature = new Uint8Array(crypto.sign(null, text, privateKey));
  return {
    bytes: [data, signature],
    call: () => crypto.verify(null, data, publicKey, signature),
  };
};
cases.decapsulate = () => {
  const keys = crypto.generateKeyPairSync('ml-kem-768' as 'x25519');
  const made = of(crypto, 'encapsulate')(keys.publicKey) as { ciphertext: Buffer };
  const ciphertext = new Uint8Array(made.ciphertext);
  return {
    bytes: [ciphertext],
    call: () => hex(of(crypto, 'decapsulate')(keys.privateKey, ciphertext)),
  };
};
cases.generateKeyPairSync = () => {
  const passphrase = bytesOf('password');
  const options = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase },
  };
  const call = () => {
    const { privateKey: key } = crypto.generateKeyPairSync('ed25519', options as never) as {
      privateKey: unknown;
    };
    return crypto.createPrivateKey({ key, passphrase: 'password' } as never).asymmetricKeyType;
  };
  return { bytes: [passphrase], options, call };
};

for (const [pack, unpack] of [
  ['gzip', 'gunzip'],
  ['gzip', 'unzip'],
  ['deflate', 'inflate'],
  ['deflateRaw', 'inflateRaw'],
  ['brotliCompress', 'brotliDecompress'],
  ['zstdCompress', 'zstdDecompress'],
] as const) {
  cases[`${pack}Sync`] = () => {
    const bytes = bytesOf('the same words '.repeat(3000));
    const options = {};
    return { bytes: [bytes], options, call: () => hex(of(zlib, `${pack}Sync`)(bytes, options)) };
  };
  cases[`${unpack}Sync`] = () => {
    const packed = of(zlib, `${pack}Sync`)(crypto.randomBytes(20_000));
    const bytes = new Uint8Array(packed as Buffer);
    return { bytes: [bytes], call: () => hex(of(zlib, `${unpack}Sync`)(bytes)) };
  };
}
cases['deflateSync with a dictionary'] = () => {
  const [bytes, dictionary] = [bytesOf('the same words '.repeat(3000)), bytesOf('the same words')];
  const options = { dictionary, level: 9 };
  return {
    ...{ bytes: [bytes, dictionary], options },
    call: () => hex(zlib.deflateSync(bytes, options)),
  };
};

describe('what has parked is computed of what was given', () => {
  before(() => {
    patchCrypto();
    patchZlib();
  });
  after(() => restore());
  for (const [name, prepare] of Object.entries(cases)) {
    const [called = ''] = name.split(' ');
    test(name, { skip: !(called in crypto || called in zlib) }, async () => {
      const { bytes, options = {}, call } = prepare();
      const expected = call();
      await run(() => {
        const free = busyThreads();
        const calling = spawn(call);
        const changing = spawn(() => {
          assert.equal(calling.ready(), false);
          for (const each of bytes) each.fill(0x55);
          for (const each of Object.keys(options)) delete options[each];
        });
        joinall([calling, changing], { raiseError: true });
        assert.deepEqual(calling.value, expected);
        wait(free);
      });
    });
  }
});

/** New keys and primes, with good and bad arguments. */
import crypto, { type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto';
import { patchCrypto } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { type Row, testTable } from './table.js';

leaveNothing();

type Loose = (...args: unknown[]) => unknown;
const loose = (name: string, ...args: unknown[]): unknown =>
  ((crypto as unknown as Record<string, Loose>)[name] as Loose)(...args);

const describeKey = (key: KeyObject) => [
  key.constructor.name,
  key.type,
  key.asymmetricKeyType,
  key.asymmetricKeyDetails,
  key.symmetricKeySize,
];
const viewPair = ({ publicKey, privateKey, ...rest }: KeyPairKeyObjectResult) => [
  describeKey(publicKey),
  describeKey(privateKey),
  rest,
];

const pems = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const;
const generated: Row[] = [
  {
    title: 'generateKeyPair: rsa',
    call: () => crypto.generateKeyPairSync('rsa', { modulusLength: 1024, publicExponent: 3 }),
    view: viewPair,
  },
  {
    title: 'generateKeyPair: ec',
    call: () => crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    view: viewPair,
  },
  {
    title: 'generateKeyPair: ed25519',
    call: () => crypto.generateKeyPairSync('ed25519'),
    view: viewPair,
  },
  {
    title: 'generateKeyPair: text',
    call: () => crypto.generateKeyPairSync('ed25519', pems as never),
    view: ({ publicKey, privateKey }: Record<string, string>) => [
      publicKey?.length,
      privateKey?.length,
      publicKey?.slice(0, 30),
    ],
  },
  {
    title: 'generateKeyPair: bytes',
    call: () =>
      crypto.generateKeyPairSync('x25519', {
        publicKeyEncoding: { type: 'spki', format: 'der' },
      } as never),
    view: ({ publicKey }: { publicKey: unknown }) => [Buffer.isBuffer(publicKey)],
  },
  { title: 'generateKeyPair: no length', call: () => loose('generateKeyPairSync', 'rsa', {}) },
  { title: 'generateKeyPair: no options', call: () => loose('generateKeyPairSync', 'rsa') },
  { title: 'generateKeyPair: a bad type', call: () => loose('generateKeyPairSync', 'none') },
  {
    title: 'generateKeyPair: a bad curve',
    call: () => loose('generateKeyPairSync', 'ec', { namedCurve: 'no' }),
  },
  {
    title: 'generateKeyPair: a bad exponent',
    call: () => crypto.generateKeyPairSync('rsa', { modulusLength: 512, publicExponent: 2 }),
    parks: 'either',
  },
  {
    title: 'generateKeyPair: a bad cipher',
    call: () =>
      loose('generateKeyPairSync', 'ed25519', {
        ...pems,
        privateKeyEncoding: { ...pems.privateKeyEncoding, cipher: 'none', passphrase: 'x' },
      }),
  },
  {
    title: 'generateKey: hmac',
    call: () => crypto.generateKeySync('hmac', { length: 512 }),
    view: describeKey,
  },
  {
    title: 'generateKey: aes',
    call: () => crypto.generateKeySync('aes', { length: 256 }),
    view: describeKey,
  },
  {
    title: 'generateKey: a bad length',
    call: () => crypto.generateKeySync('aes', { length: 100 as never }),
  },
  {
    title: 'generateKey: a bad type',
    call: () => loose('generateKeySync', 'none', { length: 64 }),
  },
  {
    title: 'generatePrime',
    call: () => crypto.generatePrimeSync(64),
    view: (prime: ArrayBuffer) => [
      prime.constructor.name,
      prime.byteLength,
      crypto.checkPrimeSync(prime),
    ],
  },
  {
    title: 'generatePrime: bigint',
    call: () => crypto.generatePrimeSync(32, { bigint: true, safe: true }),
    view: (prime: bigint) => [typeof prime, prime.toString(2).length],
  },
  {
    title: 'generatePrime: undefined',
    call: () => crypto.generatePrimeSync(8, undefined as never),
    view: (p: object) => p.constructor.name,
  },
  { title: 'generatePrime: a bad size', call: () => crypto.generatePrimeSync(0) },
  {
    title: 'generatePrime: a bad addition',
    call: () => crypto.generatePrimeSync(8, { add: -5n } as never),
  },
  { title: 'checkPrime: a prime', call: () => crypto.checkPrimeSync(7919n) },
  { title: 'checkPrime: no prime', call: () => crypto.checkPrimeSync(7917n, { checks: 10 }) },
  { title: 'checkPrime: bytes', call: () => crypto.checkPrimeSync(Buffer.from([5])) },
  { title: 'checkPrime: a number', call: () => crypto.checkPrimeSync(5 as never) },
  { title: 'checkPrime: bad checks', call: () => crypto.checkPrimeSync(5n, { checks: -1 }) },
];

testTable({ file: import.meta.url, patch: patchCrypto }, generated);

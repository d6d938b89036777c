'use strict';
/** A page, made in the simplest way there is: one thing after the other. */
const { execSync } = require('node:child_process');
const { pbkdf2Sync } = require('node:crypto');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { getSync } = require('./get-sync.cjs');

const template = path.join(__dirname, 'page.html');
const upstream = process.env.UPSTREAM ?? 'http://127.0.0.1:3001';

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function page(name) {
  const text = readFileSync(template, 'utf8');
  execSync('sleep 0.2');
  sleep(800);
  const { quote } = JSON.parse(getSync(`${upstream}/quote`));
  const fingerprint = pbkdf2Sync(name, 'salt', 500, 16, 'sha256').toString('hex');
  return text
    .replaceAll('{name}', name)
    .replace('{fingerprint}', fingerprint)
    .replace('{quote}', quote);
}

module.exports = page;

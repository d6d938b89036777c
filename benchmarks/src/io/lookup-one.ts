#!/usr/bin/env node
/** One measurement of one resolver: `lookup-one <contestant> <figure> <dns port>` prints a number. */
import { promises as dnsPromises, type Resolver } from 'node:dns';
import { performance } from 'node:perf_hooks';
import { run, spawn } from '@tendril/core';
import { AresResolver } from '@tendril/core/resolver';
import CacheableLookup from 'cacheable-lookup';

const [contestant = '', figure = '', portText = ''] = process.argv.slice(2);
const server = `127.0.0.1:${portText}`;
const distinct = 1000;
const cached = 100_000;

type Lookup = (name: string) => Promise<unknown>;

function ares(): AresResolver {
  const none = '/nonexistent';
  return new AresResolver({ hostsFile: none, resolvConf: none, nsswitch: none, servers: [server] });
}

function lookupOf(): Lookup {
  if (contestant === 'dns.promises.resolve4') {
    const resolver = new dnsPromises.Resolver();
    resolver.setServers([server]);
    return (name) => resolver.resolve4(name);
  }
  if (contestant === 'cacheable-lookup') {
    const resolver = new dnsPromises.Resolver();
    resolver.setServers([server]);
    const lookup = new CacheableLookup({
      resolver: resolver as unknown as Resolver as never,
      lookup: false,
    });
    return (name) => lookup.lookupAsync(name, { family: 4 });
  }
  throw new Error(`no such contestant: ${contestant}`);
}

async function ours(): Promise<number> {
  using resolver = ares();
  if (figure === 'distinct') {
    const began = performance.now();
    await run(() => {
      const all = Array.from({ length: distinct }, (_, i) =>
        spawn(() => resolver.gethostbyname(`host-${i}.test`)),
      );
      for (const one of all) one.get();
    });
    return performance.now() - began;
  }
  return await perLookup(
    (name) =>
      new Promise((resolve, reject) =>
        resolver.lookup(name, { family: 4 }, (error, address) =>
          error ? reject(error) : resolve(address),
        ),
      ),
  );
}

/** Nanoseconds of a lookup whose answer is known, many at a time. */
async function perLookup(lookup: Lookup): Promise<number> {
  await lookup('cached.test');
  const batch = 1000;
  const round = async () => {
    for (let done = 0; done < cached; done += batch)
      await Promise.all(Array.from({ length: batch }, () => lookup('cached.test')));
  };
  await round();
  const began = process.hrtime.bigint();
  await round();
  return Number(process.hrtime.bigint() - began) / cached;
}

async function others(): Promise<number> {
  const lookup = lookupOf();
  if (figure === 'cached') return perLookup(lookup);
  const began = performance.now();
  await Promise.all(Array.from({ length: distinct }, (_, i) => lookup(`host-${i}.test`)));
  return performance.now() - began;
}

console.log(contestant === 'tendril' ? await ours() : await others());
process.exit(0);

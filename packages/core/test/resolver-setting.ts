/** Resolvers that ask only a DNS server of the test's. */
import { run } from '@tendril/core';
import { type AresOptions, AresResolver } from '@tendril/core/resolver';
import { a, DnsServer, type Reply } from './dns-server.js';

/** The path of a file that is not there. */
export const nothing = '/nonexistent/file';

export interface Setting {
  resolver: AresResolver;
  server: DnsServer;
}

/** A test in a greenlet with a resolver that knows only a server of the test's. */
export function withServer(
  reply: (name: string, type: string) => Reply,
  body: (setting: Setting) => void,
  options: AresOptions = {},
): () => Promise<void> {
  return async () => {
    const server = await DnsServer.start(({ name, type }) => reply(name, type));
    const resolver = new AresResolver({
      hostsFile: nothing,
      resolvConf: nothing,
      nsswitch: nothing,
      servers: [server.address],
      ...options,
    });
    try {
      await run(() => body({ resolver, server }));
    } finally {
      resolver.close();
      await server.stop();
    }
  };
}

/** A server that has one IPv4 address for every name. */
export const v4 = (address: string) => (name: string, type: string) =>
  type === 'A' ? { answers: [a(name, address)] } : { rcode: 'NOERROR' as const };
/** Whether an error has this code, and names the call and the host. */
export const code = (expected: string, hostname?: string) => (error: unknown) => {
  const { code, syscall, hostname: host } = error as Record<string, string>;
  return code === expected && syscall !== undefined && (!hostname || host === hostname);
};
/** What a resolver finds for a host. */
export const addresses = (resolver: AresResolver, host: string, family: 0 | 4 | 6 = 0) =>
  resolver.getaddrinfo(host, 0, { family }).map(({ address }) => address);

/** Certificates: those that the command's files hold, as options of TLS. */
import { readFileSync } from 'node:fs';
import type { TlsOptions } from 'node:tls';
import type { Settings } from './options.js';

/** Reads the files; undefined without them. @throws Error of the system */
export function tlsOptions(settings: Settings): TlsOptions | undefined {
  const { certfile, keyfile, caCerts, certReqs } = settings;
  if (certfile === undefined || keyfile === undefined) return undefined;
  return {
    cert: readFileSync(certfile),
    key: readFileSync(keyfile),
    // Browsers take HTTP/1.1 only if they are told that there is nothing better.
    ALPNProtocols: ['http/1.1'],
    ...(caCerts !== undefined && { ca: readFileSync(caCerts) }),
    ...(certReqs !== 'none' && { requestCert: true, rejectUnauthorized: certReqs === 'required' }),
  };
}

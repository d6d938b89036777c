/** The client's certificate in `environ`, under the names that mod_ssl has for it. */
import type { TLSSocket } from 'node:tls';

export type CertificateVariables = Readonly<Record<string, string>>;

// Node gives a line for each part, the most general first, its value escaped as RFC 2253 wants it;
// mod_ssl gives that form whole, the most special first.
function nameOf(lines: string): string {
  return lines.split('\n').reverse().join(',');
}

function commonName(lines: string): string | undefined {
  return /^CN=(.*)$/m.exec(lines)?.[1];
}

/**
 * For a connection whose server asks for certificates. `SSL_CLIENT_VERIFY` is `NONE` without one,
 * `SUCCESS`, or `FAILED:` and why, where the server lets such clients in.
 */
export function certificateVariables(stream: TLSSocket): CertificateVariables {
  const certificate = stream.getPeerX509Certificate();
  if (!certificate) return { SSL_CLIENT_VERIFY: 'NONE' };
  const { subject, issuer, serialNumber, validFrom, validTo } = certificate;
  const { authorized, authorizationError } = stream;
  const variables: Record<string, string> = {
    SSL_CLIENT_VERIFY: authorized ? 'SUCCESS' : `FAILED:${authorizationError}`,
    SSL_CLIENT_CERT: certificate.toString(),
    SSL_CLIENT_S_DN: nameOf(subject ?? ''),
    SSL_CLIENT_I_DN: nameOf(issuer ?? ''),
    SSL_CLIENT_M_SERIAL: serialNumber,
    SSL_CLIENT_V_START: validFrom,
    SSL_CLIENT_V_END: validTo,
  };
  const name = commonName(subject ?? '');
  if (name !== undefined) variables.SSL_CLIENT_S_DN_CN = name;
  return variables;
}

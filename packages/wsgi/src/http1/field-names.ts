/** Header names: each is made once, and found again from its bytes without making a string. */

/** Names that the server itself looks at. */
export const field = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  cookie: 7,
} as const;

export interface FieldName {
  /** In lower case. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The key in `environ`; empty for a name that is dropped. */
  readonly key: string;
  readonly field: number;
  /** It must not stand in a trailer (RFC 9110, 6.5.1). */
  readonly inHeadOnly: boolean;
}

const special: Readonly<Record<string, number>> = {
  host: field.host,
  'content-length': field.contentLength,
  'transfer-encoding': field.transferEncoding,
  connection: field.connection,
  expect: field.expect,
  upgrade: field.upgrade,
  cookie: field.cookie,
};

/** What decides about framing, routing, rights or the meaning of the body. */
const headOnly = new Set(
  `host content-length transfer-encoding connection expect upgrade content-type content-encoding
   content-range cookie authorization proxy-authorization te trailer range if-match if-none-match
   if-modified-since if-unmodified-since if-range cache-control max-forwards pragma keep-alive
   set-cookie age date location retry-after vary warning expires`.split(/\s+/),
);

const common = `host connection user-agent accept accept-encoding accept-language accept-charset
  content-length content-type content-encoding transfer-encoding cookie referer origin authorization
  cache-control pragma upgrade expect range if-match if-none-match if-modified-since
  if-unmodified-since if-range te trailer via date dnt priority from forwarded
  upgrade-insecure-requests x-requested-with x-forwarded-for x-forwarded-proto x-forwarded-host
  x-forwarded-port x-real-ip x-request-id traceparent tracestate sec-fetch-dest sec-fetch-mode
  sec-fetch-site sec-fetch-user sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-websocket-key
  sec-websocket-version sec-websocket-extensions sec-websocket-protocol last-event-id
  access-control-request-method access-control-request-headers keep-alive proxy-connection`.split(
  /\s+/,
);

// CGI's own variables for two have no prefix (RFC 3875, 4.1). A name with an underscore could pass for
// another header, and `Proxy` for the environment variable that clients obey (CVE-2016-5385).
function keyOf(name: string): string {
  if (name.includes('_') || name === 'proxy') return '';
  const upper = name.toUpperCase().replaceAll('-', '_');
  return name === 'content-type' || name === 'content-length' ? upper : `HTTP_${upper}`;
}

function make(name: string): FieldName {
  return {
    name,
    bytes: Buffer.from(name, 'latin1'),
    key: keyOf(name),
    field: special[name] ?? field.other,
    inHeadOnly: headOnly.has(name),
  };
}

const buckets: FieldName[][] = Array.from({ length: 256 }, () => []);

// Length, first and last letter tell nearly all common names apart.
function bucketOf(length: number, first: number, last: number): number {
  return (length * 7 + (first | 0x20) * 3 + (last | 0x20)) & 255;
}

for (const name of common) {
  const made = make(name);
  const { bytes } = made;
  buckets[bucketOf(bytes.length, bytes[0] ?? 0, bytes[bytes.length - 1] ?? 0)]?.push(made);
}

function same(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) {
    const given = bytes[start + i] as number;
    const lower = given >= 65 && given <= 90 ? given | 0x20 : given;
    if (lower !== wanted[i]) return false;
  }
  return true;
}

/** The name in `bytes` from `start` to `end`, which must be a token. */
export function fieldName(bytes: Buffer, start: number, end: number): FieldName {
  const length = end - start;
  const bucket = buckets[
    bucketOf(length, bytes[start] as number, bytes[end - 1] as number)
  ] as FieldName[];
  for (let i = 0; i < bucket.length; i++) {
    const known = bucket[i] as FieldName;
    if (known.bytes.length === length && same(bytes, start, known.bytes)) return known;
  }
  return make(bytes.toString('latin1', start, end).toLowerCase());
}

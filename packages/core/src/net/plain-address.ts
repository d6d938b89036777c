/** IPv4 addresses in the clothes of IPv6. */

const mapped = '::ffff:';

/**
 * An address as people write it: a listener of both families sees an IPv4 client as `::ffff:127.0.0.1`
 * (RFC 4291, 2.5.5.2), which no allow list and no log has in mind. Others are returned as they are.
 */
export function plainAddress<T extends string | undefined>(address: T): T {
  if (!address?.startsWith(mapped) || !address.includes('.')) return address;
  return address.slice(mapped.length) as T;
}

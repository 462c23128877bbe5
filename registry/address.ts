import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** What kind of place an IP address is. `metadata`: link-local, and where clouds hand out credentials. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'metadata';

/**
 * Which addresses a request may reach, beside public ones. `named`: the user named the host, which may be private; else
 * a registry's answer did (a realm, a redirect), which may lead only to the kind of place where the registry itself is.
 * Metadata addresses are never reached (reference/controllers.md F2).
 */
export type Reach = 'named' | AddressKind;

const RANGES: Record<Exclude<AddressKind, 'public'>, readonly string[]> = {
  metadata: [
    '169.254.0.0/16',
    'fe80::/10',
    // Amazon's and Google's over IPv6; Alibaba's, Azure's and Oracle's own.
    'fd00:ec2::/32',
    'fd20:ce::/32',
    '100.100.100.200/32',
    '168.63.129.16/32',
    '192.0.0.192/32',
  ],
  loopback: ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'],
  private: [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '192.0.0.0/24',
    '198.18.0.0/15',
    '224.0.0.0/3',
    'fc00::/7',
    'fec0::/10',
    'ff00::/8',
  ],
};

const lists = Object.entries(RANGES).map(([kind, ranges]) => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return { kind: kind as AddressKind, list };
});

/** Names by which clouds answer for their metadata addresses; a proxy would resolve them for us. */
const METADATA_NAMES = new Set(['metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal']);

/** The kind of an IP address, in any spelling that a URL's host may have; an IPv4 address inside of an IPv6 one counts. */
export function addressKind(address: string): AddressKind {
  const plain = unwrap(address.split('%')[0]!);
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  return lists.find(({ list }) => list.check(plain, family))?.kind ?? 'public';
}

/** The kind of a URL's host as far as its text tells: an address, or a name that is always one. Else undefined. */
export function literalKind(hostname: string): AddressKind | undefined {
  const plain = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  if (isIP(plain)) return addressKind(plain);
  if (plain === 'localhost' || plain.endsWith('.localhost')) return 'loopback';
  return METADATA_NAMES.has(plain) ? 'metadata' : undefined;
}

export function mayReach(kind: AddressKind, reach: Reach): boolean {
  if (kind === 'metadata') return false;
  return kind === 'public' || reach === 'named' || kind === reach;
}

/** A name leads to an address that may not be reached. */
export class RefusedAddress extends Error {}

/** Resolves names as the system does, and refuses those with an address out of reach: what is checked is what is connected to. */
export function guardedLookup(reach: Reach): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const refused = found.find(({ address }) => !mayReach(addressKind(address), reach));
      if (refused)
        return callback(new RefusedAddress(`it is ${refused.address}, a ${addressKind(refused.address)} address`), []);
      const [first] = found;
      if (options.all || !first) return callback(null, found);
      return callback(null, first.address, first.family);
    });
  };
}

/** The IPv4 address that is inside of an IPv4-mapped, -compatible, NAT64 or 6to4 address; else the address. */
function unwrap(address: string): string {
  if (isIP(address) !== 6) return address;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] =
    /^(?:::ffff:|64:ff9b::|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ??
    /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4}):/.exec(short) ??
    [];
  if (high === undefined || low === undefined) return short;
  const value = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((bits) => (value >>> bits) & 0xff).join('.');
}

import { AFI, type RoutedFamily, routedFamily, SAFI_UNICAST } from '../family/routed-family.ts';

/** A capability, RFC 5492 and the RFC that is named with each. */
export type Capability =
  /** RFC 4760 §8. */
  | { readonly kind: 'multiprotocol'; readonly family: RoutedFamily }
  /** RFC 2918 §2. */
  | { readonly kind: 'route-refresh' }
  /** RFC 8950 §4: IPv4 routes with IPv6 next hops. */
  | { readonly kind: 'extended-next-hop' }
  /** RFC 8654. */
  | { readonly kind: 'extended-message' }
  /** RFC 4724 §3; `notification` is the N bit of RFC 8538 §2. `restartTime` in seconds. */
  | {
      readonly kind: 'graceful-restart';
      readonly restarting: boolean;
      readonly notification: boolean;
      readonly restartTime: number;
      readonly families: readonly { readonly family: RoutedFamily; readonly forwarding: boolean }[];
    }
  /** RFC 6793 §3. */
  | { readonly kind: 'four-octet-as'; readonly asn: number }
  /** RFC 7911 §4. */
  | {
      readonly kind: 'add-path';
      readonly families: readonly { readonly family: RoutedFamily; readonly send: boolean; readonly receive: boolean }[];
    }
  /** RFC 7313 §3.1. */
  | { readonly kind: 'enhanced-route-refresh' }
  /** RFC 9494 §3. `seconds`: how long routes are kept after the restart time. */
  | { readonly kind: 'long-lived-graceful-restart'; readonly families: readonly LongLivedFamily[] }
  | { readonly kind: 'unknown'; readonly code: number; readonly value: Uint8Array };

/** A family in the capability of RFC 9494 §3. */
export interface LongLivedFamily {
  readonly family: RoutedFamily;
  readonly forwarding: boolean;
  /** 0 to 16,777,215. */
  readonly seconds: number;
}

/** Numbers of the IANA registry. */
const CODE = {
  multiprotocol: 1,
  routeRefresh: 2,
  extendedNextHop: 5,
  extendedMessage: 6,
  restart: 64,
  fourOctetAs: 65,
  addPath: 69,
  enhanced: 70,
  longLived: 71,
};
const RESTARTING = 0x80;
const NOTIFICATION = 0x40;
const FORWARDING = 0x80;

/** Code and value of a capability. */
export function encodeCapability(capability: Capability): { code: number; value: Uint8Array } {
  switch (capability.kind) {
    case 'multiprotocol':
      return { code: CODE.multiprotocol, value: Uint8Array.of(0, AFI[capability.family], 0, SAFI_UNICAST) };
    case 'route-refresh':
      return { code: CODE.routeRefresh, value: new Uint8Array(0) };
    case 'extended-next-hop':
      return { code: CODE.extendedNextHop, value: Uint8Array.of(0, AFI.ipv4, 0, SAFI_UNICAST, 0, AFI.ipv6) };
    case 'extended-message':
      return { code: CODE.extendedMessage, value: new Uint8Array(0) };
    case 'graceful-restart':
      return { code: CODE.restart, value: encodeRestart(capability) };
    case 'four-octet-as': {
      const value = new Uint8Array(4);
      new DataView(value.buffer).setUint32(0, capability.asn);
      return { code: CODE.fourOctetAs, value };
    }
    case 'add-path':
      return {
        code: CODE.addPath,
        value: Uint8Array.from(
          capability.families.flatMap(({ family, send, receive }) => [0, AFI[family], SAFI_UNICAST, (receive ? 1 : 0) | (send ? 2 : 0)]),
        ),
      };
    case 'enhanced-route-refresh':
      return { code: CODE.enhanced, value: new Uint8Array(0) };
    case 'long-lived-graceful-restart':
      return { code: CODE.longLived, value: Uint8Array.from(capability.families.flatMap(longLivedOctets)) };
    case 'unknown':
      return { code: capability.code, value: capability.value };
  }
}

function encodeRestart({ restarting, notification, restartTime, families }: Extract<Capability, { kind: 'graceful-restart' }>): Uint8Array {
  const flags = (restarting ? RESTARTING : 0) | (notification ? NOTIFICATION : 0);
  return Uint8Array.from([
    flags | ((restartTime >> 8) & 0x0f),
    restartTime & 0xff,
    ...families.flatMap(({ family, forwarding }) => [0, AFI[family], SAFI_UNICAST, forwarding ? FORWARDING : 0]),
  ]);
}

/** Reads a capability. What has the wrong length, or is of no routed family, is unknown: it is ignored, RFC 5492 §3. */
export function decodeCapability(code: number, value: Uint8Array): Capability {
  return decodeKnown(code, value) ?? { kind: 'unknown', code, value: value.slice() };
}

function decodeKnown(code: number, value: Uint8Array): Capability | undefined {
  switch (code) {
    case CODE.multiprotocol: {
      const family = value.length === 4 ? routedFamily((value[0]! << 8) | value[1]!, value[3]!) : undefined;
      return family === undefined ? undefined : { kind: 'multiprotocol', family };
    }
    case CODE.routeRefresh:
      return { kind: 'route-refresh' };
    case CODE.extendedNextHop:
      return hasIpv4OverIpv6(value) ? { kind: 'extended-next-hop' } : undefined;
    case CODE.extendedMessage:
      return { kind: 'extended-message' };
    case CODE.restart:
      return decodeRestart(value);
    case CODE.fourOctetAs:
      return value.length === 4 ? { kind: 'four-octet-as', asn: new DataView(value.buffer, value.byteOffset).getUint32(0) } : undefined;
    case CODE.addPath:
      return {
        kind: 'add-path',
        // RFC 7911 §4: anything but 1 to 3 is ignored.
        families: families(value, 0).flatMap(({ family, flags }) =>
          flags >= 1 && flags <= 3 ? [{ family, receive: (flags & 1) !== 0, send: (flags & 2) !== 0 }] : [],
        ),
      };
    case CODE.enhanced:
      return { kind: 'enhanced-route-refresh' };
    case CODE.longLived:
      return { kind: 'long-lived-graceful-restart', families: longLivedFamilies(value) };
    default:
      return undefined;
  }
}

function decodeRestart(value: Uint8Array): Capability | undefined {
  if (value.length < 2) return undefined;
  return {
    kind: 'graceful-restart',
    restarting: (value[0]! & RESTARTING) !== 0,
    notification: (value[0]! & NOTIFICATION) !== 0,
    restartTime: ((value[0]! & 0x0f) << 8) | value[1]!,
    families: families(value, 2).map(({ family, flags }) => ({ family, forwarding: (flags & FORWARDING) !== 0 })),
  };
}

/** Quads of AFI, SAFI and one octet, the form of RFC 4724 and RFC 7911; those of other families are left out. */
function families(value: Uint8Array, from: number): { family: RoutedFamily; flags: number }[] {
  const out: { family: RoutedFamily; flags: number }[] = [];
  for (let at = from; at + 4 <= value.length; at += 4) {
    const family = routedFamily((value[at]! << 8) | value[at + 1]!, value[at + 2]!);
    if (family !== undefined) out.push({ family, flags: value[at + 3]! });
  }
  return out;
}

function longLivedOctets({ family, forwarding, seconds }: LongLivedFamily): number[] {
  return [0, AFI[family], SAFI_UNICAST, forwarding ? FORWARDING : 0, seconds >>> 16, (seconds >>> 8) & 255, seconds & 255];
}

function longLivedFamilies(value: Uint8Array): LongLivedFamily[] {
  const out: LongLivedFamily[] = [];
  for (let at = 0; at + 7 <= value.length; at += 7) {
    const family = routedFamily((value[at]! << 8) | value[at + 1]!, value[at + 2]!);
    const seconds = (value[at + 4]! << 16) | (value[at + 5]! << 8) | value[at + 6]!;
    if (family !== undefined) out.push({ family, forwarding: (value[at + 3]! & FORWARDING) !== 0, seconds });
  }
  return out;
}

function hasIpv4OverIpv6(value: Uint8Array): boolean {
  for (let at = 0; at + 6 <= value.length; at += 6) {
    if (routedFamily((value[at]! << 8) | value[at + 1]!, value[at + 3]!) === 'ipv4' && value[at + 5] === AFI.ipv6) return true;
  }
  return false;
}

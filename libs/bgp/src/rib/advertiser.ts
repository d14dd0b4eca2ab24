import type { RoutedFamily } from '../family/routed-family.ts';
import { MAX_EXTENDED_MESSAGE, MAX_MESSAGE } from '../message/framing.ts';
import { encodeRouteRefresh } from '../message/route-refresh.ts';
import { REJECTED } from '../policy/compiled-policy.ts';
import type { PolicyRoute, RouteSource } from '../policy/policy.ts';
import { rewritten } from './attribute-rewrite.ts';
import type { AttributeStore } from './attribute-store.ts';
import { SET_FLAG, type SpeakerIdentity } from './attribute-summary.ts';
import type { FamilyTable } from './family-table.ts';
import type { Outgoing, PeerUp, RibPeer } from './rib-peer.ts';
import type { SentPaths } from './sent-paths.ts';
import { announcement, overhead, withdrawal } from './update-packer.ts';

/** Prefixes that a dump queues at a time: enough to find those of one set, short enough for one turn. */
const DUMP_SLICE = 4096;

/** Octets of an UPDATE that withdraws, apart from its prefixes. */
const WITHDRAWAL_OVERHEAD = 30;
const IPV6_BYTES = 16;
/** The longest prefix with its length octet. */
const LONGEST_PREFIX = 17;

/** What a peer was told of a prefix. */
interface Told {
  readonly prefix: number;
  readonly path: number;
  readonly block: Uint8Array;
  readonly nextHop: Uint8Array;
}

/** What goes to a peer: export policy, the rules of RFC 4271 §9.2 and RFC 4456 §6, and packing. */
export class Advertiser {
  readonly #self: SpeakerIdentity;
  readonly #sets: AttributeStore;
  readonly #peers: readonly (RibPeer | undefined)[];
  readonly #onTold: (table: FamilyTable, prefix: number) => void;
  readonly #nlri = new Uint8Array(65_535);
  draining = false;
  /** Own routes alone go out, and no End-of-RIB: what was learned before a restart is not all here yet, RFC 4724 §4.1. */
  deferring = false;
  #lastRoute: PolicyRoute = { family: 'ipv4', neighbour: '', source: 'local' };

  /** @param told called when a peer knows the current state of a prefix */
  constructor(
    self: SpeakerIdentity,
    sets: AttributeStore,
    peers: readonly (RibPeer | undefined)[],
    told: (table: FamilyTable, prefix: number) => void,
  ) {
    this.#self = self;
    this.#sets = sets;
    this.#peers = peers;
    this.#onTold = told;
  }

  /** The next UPDATE of a family; undefined when the peer has all. */
  next(number: number, table: FamilyTable, out: Outgoing): Uint8Array | undefined {
    for (;;) {
      const made = out.paths?.pending.shift();
      if (made !== undefined) return made;
      if (out.marks === 'begin') {
        out.marks = 'end';
        return encodeRouteRefresh(table.prefixes.family, 'begin');
      }
      if (out.dirty.empty && out.cursor !== 0) this.#dump(table, out);
      const set = out.dirty.firstSet();
      if (set !== undefined) {
        const message =
          out.paths === undefined ? this.#group(number, table, out, set) : this.#paths(number, table, { out, paths: out.paths, set });
        if (message !== undefined) return message;
      } else if (out.cursor === 0) {
        if (out.marks === 'end') {
          out.marks = 'none';
          return encodeRouteRefresh(table.prefixes.family, 'end');
        }
        if (out.endOfRib || this.deferring) return undefined;
        out.endOfRib = true;
        return withdrawal(table.prefixes.family, new Uint8Array(0));
      }
    }
  }

  /** What a peer was told and would be told again, for people: prefix by prefix, attributes as they go out. */
  *told(number: number, table: FamilyTable, out: Outgoing): Generator<Told> {
    const up = this.#peers[number]!.up;
    for (let prefix = 1; up !== undefined && prefix < table.prefixes.end; prefix++) {
      if (out.sent.get(prefix) === 0) continue;
      const paths = out.paths === undefined ? [table.best(prefix)] : [...out.paths.of(prefix).keys()];
      for (const path of paths) {
        const exported = path === 0 ? REJECTED : this.exported(number, table, prefix, path);
        const nextHop = exported === REJECTED ? undefined : this.#nextHop(up, number, table, path, exported);
        if (nextHop === undefined) continue;
        yield {
          prefix,
          path,
          block: this.#block(number, table.paths.peer.get(path), table.paths.set.get(path), exported).slice(),
          nextHop,
        };
      }
    }
  }

  /** The set that a peer is to be sent for a path, {@link REJECTED} when it must not have it. */
  exported(number: number, table: FamilyTable, prefix: number, path: number): number {
    const peer = this.#peers[number]!;
    const set = table.paths.set.get(path);
    const sender = table.paths.peer.get(path);
    const from = this.#peers[sender]!;
    const flags = this.#sets.flags.get(set);
    if (sender === number || (flags & SET_FLAG.noAdvertise) !== 0) return REJECTED;
    if (this.deferring && sender !== 0) return REJECTED;
    if (peer.external && (flags & SET_FLAG.noExport) !== 0) return REJECTED;
    if ((flags & SET_FLAG.llgrStale) !== 0 && peer.up?.longLived !== true) return REJECTED;
    const source: RouteSource = sender === 0 ? 'local' : from.external ? 'external' : 'internal';
    const client = from.settings.routeReflectorClient === true || peer.settings.routeReflectorClient === true;
    if (source === 'internal' && !peer.external && !client) return REJECTED;
    if (peer.exportPolicy.acceptsAll) return set;
    return peer.exportPolicy.apply(set, table.prefixes, prefix, this.#route(table.prefixes.family, peer.settings.name, source));
  }

  /** Mostly the same as for the last prefix. */
  #route(family: RoutedFamily, neighbour: string, source: RouteSource): PolicyRoute {
    const last = this.#lastRoute;
    if (last.family === family && last.neighbour === neighbour && last.source === source) return last;
    this.#lastRoute = { family, neighbour, source };
    return this.#lastRoute;
  }

  #dump(table: FamilyTable, out: Outgoing): void {
    const end = Math.min(out.cursor + DUMP_SLICE, table.prefixes.end);
    for (let prefix = out.cursor; prefix < end; prefix++) {
      const best = table.best(prefix);
      if (out.again) out.from.set(prefix, 0);
      if (best !== 0 || out.sent.get(prefix) !== 0) out.dirty.push(prefix, table.paths.set.get(best));
    }
    out.cursor = end === table.prefixes.end ? 0 : end;
    if (out.cursor === 0) out.again = false;
  }

  /** One UPDATE out of a group; undefined when nothing of it had to be sent. */
  #group(number: number, table: FamilyTable, out: Outgoing, set: number): Uint8Array | undefined {
    const up = this.#peers[number]!.up!;
    const { paths, prefixes } = table;
    let answer = -1;
    let sender = -1;
    let block: Uint8Array | undefined;
    let nextHop: Uint8Array | undefined;
    let room = 0;
    let filled = 0;
    for (let prefix = out.dirty.peek(set); prefix !== 0; prefix = out.dirty.peek(set)) {
      const best = table.best(prefix);
      const current = paths.set.get(best);
      if (current !== set) {
        out.dirty.shift(set);
        out.dirty.push(prefix, current);
        continue;
      }
      let exported = best === 0 ? REJECTED : this.exported(number, table, prefix, best);
      // Not yet the message's: this prefix may be for the next one.
      const hop = exported === REJECTED || exported === answer ? nextHop : this.#nextHop(up, number, table, best, exported);
      if (exported !== REJECTED && hop === undefined) exported = REJECTED;
      const had = out.sent.get(prefix);
      const same = exported === REJECTED ? had === 0 : had === set && out.from.get(prefix) === paths.peer.get(best) + 1;
      if (same) {
        this.#done(table, out, set, prefix);
        continue;
      }
      if (answer === -1) {
        answer = exported;
        sender = paths.peer.get(best);
        nextHop = hop;
        if (exported !== REJECTED) block = this.#block(number, sender, set, exported);
        room = roomFor(up, block === undefined ? WITHDRAWAL_OVERHEAD : overhead(block, nextHop!));
      } else if (answer !== exported || (answer !== REJECTED && sender !== paths.peer.get(best))) break;
      if (filled + prefixes.encodedLength(prefix) > room) {
        if (filled > 0) break;
        // The attributes alone fill a message: there is no way to tell the peer, but to take back what it had.
        block = undefined;
        answer = exported = had === 0 ? -1 : REJECTED;
        room = MAX_MESSAGE - WITHDRAWAL_OVERHEAD;
        if (had === 0) {
          this.#done(table, out, set, prefix);
          continue;
        }
      }
      filled = prefixes.write(prefix, this.#nlri, filled);
      this.#record(out, prefix, exported === REJECTED ? 0 : set, paths.peer.get(best) + 1);
      this.#done(table, out, set, prefix);
    }
    if (filled === 0) return undefined;
    const nlri = this.#nlri.subarray(0, filled);
    return block === undefined ? withdrawal(prefixes.family, nlri) : announcement(prefixes.family, block, nextHop!, nlri);
  }

  /** All that is to be said of one prefix to a peer that takes several paths; the first message of it. */
  #paths(
    number: number,
    table: FamilyTable,
    { out, paths, set }: { out: Outgoing; paths: SentPaths; set: number },
  ): Uint8Array | undefined {
    const prefix = out.dirty.peek(set);
    const had = paths.of(prefix);
    const has = this.#announcements(number, table, prefix);
    const sets = new Map([...has.keys()].map((path) => [path, table.paths.set.get(path)]));
    const gone = [...had.keys()].filter((path) => !has.has(path));
    if (gone.length > 0) paths.pending.push(withdrawal(table.prefixes.family, this.#withIds(table, prefix, gone)));
    const again = out.from.get(prefix) === 0;
    for (const [path, message] of has) if (again || had.get(path) !== sets.get(path)) paths.pending.push(message);
    for (const one of sets.values()) this.#sets.retain(one);
    for (const one of had.values()) this.#sets.release(one);
    out.advertised += sets.size - had.size;
    paths.keep(prefix, sets);
    out.sent.set(prefix, sets.size === 0 ? 0 : 1);
    out.from.set(prefix, 1);
    out.dirty.shift(set);
    if (table.head(prefix) === 0) this.#onTold(table, prefix);
    return paths.pending.shift();
  }

  /** By path number what announces each path of a prefix that the peer may have, and that a message has room for. */
  #announcements(number: number, table: FamilyTable, prefix: number): Map<number, Uint8Array> {
    const up = this.#peers[number]!.up!;
    const all = new Map<number, Uint8Array>();
    for (let path = table.head(prefix); path !== 0; path = table.paths.next.get(path)) {
      const set = table.paths.set.get(path);
      const exported = set === 0 ? REJECTED : this.exported(number, table, prefix, path);
      const hop = exported === REJECTED ? undefined : this.#nextHop(up, number, table, path, exported);
      if (hop === undefined) continue;
      const block = this.#block(number, table.paths.peer.get(path), set, exported);
      const nlri = this.#withIds(table, prefix, [path]);
      if (nlri.length <= roomFor(up, overhead(block, hop))) all.set(path, announcement(table.prefixes.family, block, hop, nlri));
    }
    return all;
  }

  /** A prefix under each of some path numbers, RFC 7911 §3. */
  #withIds(table: FamilyTable, prefix: number, ids: readonly number[]): Uint8Array {
    const each = 4 + table.prefixes.encodedLength(prefix);
    const out = new Uint8Array(each * ids.length);
    for (const [i, id] of ids.entries()) {
      new DataView(out.buffer).setUint32(i * each, id);
      table.prefixes.write(prefix, out, i * each + 4);
    }
    return out;
  }

  #record(out: Outgoing, prefix: number, set: number, from: number): void {
    const had = out.sent.get(prefix);
    if (set !== 0) this.#sets.retain(set);
    if (had !== 0) this.#sets.release(had);
    out.advertised += (set === 0 ? 0 : 1) - (had === 0 ? 0 : 1);
    out.sent.set(prefix, set);
    out.from.set(prefix, set === 0 ? 0 : from);
  }

  #done(table: FamilyTable, out: Outgoing, set: number, prefix: number): void {
    out.dirty.shift(set);
    if (set === 0) this.#onTold(table, prefix);
  }

  #nextHop(up: PeerUp, number: number, table: FamilyTable, path: number, set: number): Uint8Array | undefined {
    const peer = this.#peers[number]!;
    const given = this.#sets.nextHop(set);
    const byPolicy = set !== table.paths.set.get(path) && !equal(given, this.#sets.nextHop(table.paths.set.get(path)));
    const { family } = table.prefixes;
    const kept = byPolicy ? given : !peer.external && peer.settings.nextHopSelf !== true ? beyondLink(given) : undefined;
    const hop = kept !== undefined && kept.length !== 0 ? kept : up.nextHopSelf[family];
    return family === 'ipv4' && hop !== undefined && hop.length !== 4 && up.extendedNextHop !== true ? undefined : hop;
  }

  /** @param set the route's, of which export policy made `exported` */
  #block(number: number, sender: number, set: number, exported: number): Uint8Array {
    const peer = this.#peers[number]!;
    const from = this.#peers[sender]!;
    const reflected = sender !== 0 && !from.external && !peer.external;
    return rewritten(this.#sets.block(exported), {
      external: peer.external,
      localAs: this.#self.localAs,
      draining: this.draining,
      ownMed: sender === 0 || this.#sets.med.u32(exported) !== this.#sets.med.u32(set),
      twoOctetAs: peer.up?.twoOctetAs === true,
      ...(reflected && { reflected: { originator: from.routerId, clusterId: this.#self.clusterId } }),
    });
  }
}

/** Octets for prefixes. Long messages are for attributes that need them: short ones come sooner. */
function roomFor({ maxMessage }: PeerUp, overheadBytes: number): number {
  const fits = overheadBytes + LONGEST_PREFIX <= MAX_MESSAGE;
  return Math.min(maxMessage, fits ? MAX_MESSAGE : MAX_EXTENDED_MESSAGE) - overheadBytes;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Of a next hop what means something on other links than its own: an IPv6 one may be, or have beside it, a link-local address (RFC 2545 §2). */
function beyondLink(nextHop: Uint8Array): Uint8Array | undefined {
  if (nextHop.length < IPV6_BYTES) return nextHop;
  const linkLocal = nextHop[0] === 0xfe && (nextHop[1]! & 0xc0) === 0x80;
  return linkLocal ? undefined : nextHop.subarray(0, IPV6_BYTES);
}

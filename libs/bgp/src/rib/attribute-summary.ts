import { ATTRIBUTE } from '../attribute/attribute-type.ts';

/** Bits of {@link AttributeSummary.flags}. */
export const SET_FLAG = { ownAs: 1, ownOriginator: 2, ownCluster: 4, noExport: 8, noAdvertise: 16, llgrStale: 32, noLlgr: 64 } as const;

/** Well-known communities, IANA registry; RFC 1997, RFC 8326, RFC 9494. */
export const COMMUNITY = {
  gracefulShutdown: 0xffff0000,
  llgrStale: 0xffff0006,
  noLlgr: 0xffff0007,
  noExport: 0xffffff01,
  noAdvertise: 0xffffff02,
  noExportSubconfed: 0xffffff03,
} as const;

/** LOCAL_PREF of a route that came without one. Customary; RFC 4271 leaves it to policy. */
export const DEFAULT_LOCAL_PREF = 100;

/** What the speaker knows itself by, in numbers; 0 for what it is not. */
export interface SpeakerIdentity {
  readonly localAs: number;
  readonly routerId: number;
  readonly clusterId: number;
}

/** What best path selection asks of an attribute set. One is filled again for each set, so that reading allocates nothing. */
export class AttributeSummary {
  localPref = DEFAULT_LOCAL_PREF;
  /** RFC 4271 §9.1.2.2 a: a set counts one; RFC 5065 §5.3: confederation segments count nothing. */
  pathLength = 0;
  origin = 2;
  med = 0;
  /** First AS number of the path; 0 when it is empty. */
  neighbourAs = 0;
  originator = 0;
  clusterLength = 0;
  flags = 0;
  readonly #self: SpeakerIdentity;

  constructor(self: SpeakerIdentity) {
    this.#self = self;
  }

  /** Walks a block whose lengths were checked. */
  read(block: Uint8Array): void {
    this.localPref = DEFAULT_LOCAL_PREF;
    this.pathLength = this.med = this.neighbourAs = this.originator = this.clusterLength = this.flags = 0;
    this.origin = 2;
    for (let at = 0; at < block.length; ) {
      const extended = (block[at]! & 0x10) !== 0;
      const length = extended ? (block[at + 2]! << 8) | block[at + 3]! : block[at + 2]!;
      const value = at + (extended ? 4 : 3);
      this.#attribute(block, block[at + 1]!, value, length);
      at = value + length;
    }
  }

  #attribute(block: Uint8Array, type: number, at: number, length: number): void {
    switch (type) {
      case ATTRIBUTE.origin:
        this.origin = block[at]!;
        return;
      case ATTRIBUTE.asPath:
        this.#path(block, at, at + length);
        return;
      case ATTRIBUTE.med:
        this.med = u32(block, at);
        return;
      case ATTRIBUTE.localPref:
        this.localPref = u32(block, at);
        return;
      case ATTRIBUTE.communities:
        for (let i = at; i < at + length; i += 4) this.#community(u32(block, i));
        return;
      case ATTRIBUTE.originatorId:
        this.originator = u32(block, at);
        if (this.originator === this.#self.routerId) this.flags |= SET_FLAG.ownOriginator;
        return;
      case ATTRIBUTE.clusterList:
        this.clusterLength = Math.min(length >>> 2, 255);
        for (let i = at; i < at + length; i += 4) if (u32(block, i) === this.#self.clusterId) this.flags |= SET_FLAG.ownCluster;
        return;
    }
  }

  #path(block: Uint8Array, from: number, end: number): void {
    for (let at = from; at < end; ) {
      const type = block[at]!;
      const count = block[at + 1]!;
      if (type === 1) this.pathLength++;
      else if (type === 2) this.pathLength += count;
      at += 2;
      if (this.neighbourAs === 0 && type === 2) this.neighbourAs = u32(block, at);
      for (let i = 0; i < count; i++, at += 4) {
        if (u32(block, at) === this.#self.localAs) this.flags |= SET_FLAG.ownAs;
      }
    }
  }

  #community(value: number): void {
    if (value < COMMUNITY.gracefulShutdown) return;
    if (value === COMMUNITY.noExport || value === COMMUNITY.noExportSubconfed) this.flags |= SET_FLAG.noExport;
    else if (value === COMMUNITY.noAdvertise) this.flags |= SET_FLAG.noAdvertise;
    else if (value === COMMUNITY.llgrStale) this.flags |= SET_FLAG.llgrStale;
    else if (value === COMMUNITY.noLlgr) this.flags |= SET_FLAG.noLlgr;
  }
}

/** Reads 32 bits in network order. */
export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

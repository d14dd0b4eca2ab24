import {
  BgpSpeaker,
  type BgpTransport,
  type PeerConnection,
  type PeerRouting,
  type PeerStatus,
  type Policy,
  parseUpdate,
  Rib,
  type RibOptions,
} from '@isthmus/bgp';
import type { Clock, Random } from '@isthmus/core';
import type { BgpInstanceRow, BgpPeerRow, BgpPeerSettings } from './bgp-rows.ts';
import { exportPolicy, tagOf } from './export-policy.ts';

/** Where to accept connections. */
const EVERYWHERE = ['0.0.0.0', '::'] as const;

/** What speakers are made of. */
export interface SpeakerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: BgpTransport;
  readonly later: RibOptions['later'];
  /** The agent was here before: peers that kept its routes are told, RFC 4724 §4.1. */
  readonly restarting: boolean;
  readonly onState: (instance: string, status: PeerStatus) => void;
}

/** Both policies of a peer. */
export interface Policies {
  readonly importPolicy: Policy;
  readonly exportPolicy: Policy;
}

/** Sets of entries by number, see {@link exportPolicy}. */
type EntrySetsByNumber = ReadonlyMap<number, readonly string[]>;

/** One speaker at work: an instance of the node's configuration. */
export class RunningSpeaker {
  readonly name: string;
  readonly row: BgpInstanceRow;
  readonly rib: Rib;
  readonly speaker: BgpSpeaker<PeerRouting>;
  readonly #peers = new Map<string, BgpPeerRow>();
  readonly #policies = new Map<string, Policies>();

  constructor(name: string, row: BgpInstanceRow, sets: EntrySetsByNumber, parts: SpeakerParts) {
    const { asn, routerId, clusterId, listenPort, ranges } = row;
    this.name = name;
    this.row = row;
    this.rib = new Rib({ asn, routerId, clock: parts.clock, later: parts.later, ...(clusterId !== undefined && { clusterId }) });
    this.speaker = new BgpSpeaker<PeerRouting>({
      ...parts,
      asn,
      routerId,
      table: this.rib,
      parseUpdate,
      listen: listenPort === 0 ? [] : EVERYWHERE.map((address) => ({ address, port: listenPort })),
      ranges: ranges.map((range) => ({ ...this.#settings(range, sets), network: range.network })),
      onState: (status) => parts.onState(name, status),
    });
  }

  /** Named peers, by name. */
  get peers(): ReadonlyMap<string, BgpPeerRow> {
    return this.#peers;
  }

  /** Policies of the named peers, by name. */
  get policies(): ReadonlyMap<string, Policies> {
    return this.#policies;
  }

  /** Announces an own route that belongs to a set of entries. */
  originate(prefix: string, set: number): void {
    this.rib.originate({ prefix, attributes: { largeCommunities: [tagOf(set)] } });
  }

  /** Adds a peer, or changes it: its session stays where that can be. */
  setPeer(peer: BgpPeerRow, sets: EntrySetsByNumber): void {
    const known = this.#peers.get(peer.name);
    if (known !== undefined && known.address !== peer.address) this.removePeer(peer.name);
    const settings = this.#peerSettings(peer, sets);
    if (this.#peers.has(peer.name)) this.speaker.updatePeer(settings);
    else this.speaker.addPeer(settings);
    this.#peers.set(peer.name, peer);
  }

  /** Ends the session with a peer for good. One that is not there is fine. */
  removePeer(name: string): void {
    const peer = this.#peers.get(name);
    if (peer === undefined) return;
    this.#peers.delete(name);
    this.#policies.delete(name);
    this.speaker.removePeer(peer.address);
  }

  /** There are more sets of entries: every peer's policy must know them before a route has one. */
  setEntries(sets: EntrySetsByNumber): void {
    for (const peer of this.#peers.values()) this.speaker.updatePeer(this.#peerSettings(peer, sets));
  }

  #peerSettings(peer: BgpPeerRow, sets: EntrySetsByNumber): PeerConnection & PeerRouting & { readonly address: string } {
    const settings = { ...this.#settings(peer, sets), address: peer.address };
    this.#policies.set(peer.name, { importPolicy: settings.importPolicy, exportPolicy: settings.exportPolicy });
    return settings;
  }

  #settings({ connection, routing, password, ...rest }: BgpPeerSettings, sets: EntrySetsByNumber): PeerConnection & PeerRouting & Policies {
    const { asn, clusterId } = this.row;
    return {
      ...connection,
      ...routing,
      ...(password && { password: password.value }),
      exportPolicy: exportPolicy({ connection, routing, ...rest }, asn, sets, clusterId !== undefined),
    };
  }
}

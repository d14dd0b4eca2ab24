import type { PeerConnection } from './peer-settings.ts';
import type { SessionTable } from './session-table.ts';

/** The table that a speaker keeps its routes in. `onDirty` tells that there is something to send for a peer that had nothing. */
export interface SpeakerTable<Policy> extends SessionTable {
  addPeer(settings: PeerConnection & Policy & { readonly address: string }): number;
  /** Other wishes for the routes of a peer whose session stays. */
  updatePeer(peer: number, settings: PeerConnection & Policy & { readonly address: string }): void;
  removePeer(peer: number): void;
  /** While deferring, own routes alone go out and no End-of-RIB; afterwards all that is due, RFC 4724 §4.1. */
  setDeferring(deferring: boolean): void;
  onDirty(listener: (peer: number) => void): void;
}

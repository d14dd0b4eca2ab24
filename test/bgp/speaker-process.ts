import { BgpSpeaker, type PeerConnection, type PeerRouting, parseUpdate, Rib, tcpTransport } from '@isthmus/bgp';
import { systemClock, systemRandom } from '@isthmus/core';
import { OUR_AS } from './link.ts';

/** What the process is told: one argument, in JSON. */
export interface SpeakerProcessOptions {
  readonly peer: PeerConnection & { readonly address: string };
  /** Own routes. */
  readonly prefixes: readonly string[];
}

/** A speaker in a process of its own, which a test may kill. */
const { peer, prefixes } = JSON.parse(process.argv[2]!) as SpeakerProcessOptions;
const rib = new Rib({ asn: OUR_AS, routerId: '10.99.0.1', clock: systemClock, later: setImmediate });
const speaker = new BgpSpeaker<PeerRouting>({
  asn: OUR_AS,
  routerId: '10.99.0.1',
  clock: systemClock,
  random: systemRandom,
  transport: tcpTransport,
  table: rib,
  parseUpdate,
  onState: ({ state, lastError }) => console.log(state, lastError),
});
for (const prefix of prefixes) rib.originate({ prefix });
speaker.addPeer(peer);
await speaker.start();

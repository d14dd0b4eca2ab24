import { advertiseRouter, BgpSpeaker, type PeerConnection, parseUpdate, Rib, tcpTransport } from '@isthmus/bgp';
import { systemClock, systemRandom } from '@isthmus/core';
import { getLink, LearnedRouteSink, NetlinkSocket } from '@isthmus/datapath';
import { OUR_AS } from './link.ts';

/** What {@link UnnumberedSpeaker} tells this process: one argument, in JSON. */
export interface UnnumberedOptions {
  readonly device: string;
  readonly peer: PeerConnection & { readonly address: string };
  /** Own routes. */
  readonly prefixes: readonly string[];
}

/**
 * A speaker in a process of its own, which a test starts inside the namespace of one end of a link: which interface a link-local address is on is
 * looked up in the namespace of the process. What it learns it installs; what it sees it prints, a line of JSON for each change.
 */
const { device, peer, prefixes } = JSON.parse(process.argv[2]!) as UnnumberedOptions;
const link = NetlinkSocket.using('route', undefined, (socket) => getLink(socket, device))!;
const sink = new LearnedRouteSink();
const rib = new Rib({ asn: OUR_AS, routerId: '10.99.0.1', later: setImmediate });
const follower = rib.follow(8);
const speaker = new BgpSpeaker({
  asn: OUR_AS,
  routerId: '10.99.0.1',
  clock: systemClock,
  random: systemRandom,
  transport: tcpTransport,
  table: rib,
  parseUpdate,
  listen: [{ address: '::', port: 179 }],
  onState: ({ address, state, lastError }) => print({ address, state, lastError }),
});

follower.onChange(() => {
  for (const { prefix, route } of follower.next(100)) {
    if (route?.own) continue;
    const nextHops = route?.nextHops.map(({ nextHop, linkLocal }) => linkLocal ?? nextHop);
    const hops = nextHops?.map((hop) => ({ address: hop.split('%')[0]!, ...(hop.endsWith(`%${device}`) && { device: link.index }) }));
    const failures = hops ? sink.update([{ key: prefix, row: { nextHops: hops } }]) : sink.delete([prefix]);
    print({ prefix, nextHops, failures: [...failures].map(([, error]) => String(error)) });
  }
});

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

for (const prefix of prefixes) rib.originate({ prefix });
speaker.addPeer({ ...peer, importPolicy: { rules: [], otherwise: 'accept' } });
await speaker.start();
const advertise = (): void => advertiseRouter({ device, mac: link.mac });
advertise();
setInterval(advertise, 1_000);
process.once('SIGTERM', () => void speaker.remove().then(() => process.exit(0)));

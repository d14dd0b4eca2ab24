import { BgpSpeaker, type PeerConnection, type PeerRouting, parseUpdate, Rib, tcpTransport } from '@isthmus/bgp';
import { LOCAL_SCOPE, Store, systemClock, systemRandom } from '@isthmus/core';
import { LearnedRouteSink } from '@isthmus/datapath';
import type { BgpGatewayRow } from '../../apps/agent/src/bgp/bgp-tables.ts';
import { LinkNeighbours } from '../../apps/agent/src/bgp/link-neighbours.ts';
import { NodeNetwork } from '../../apps/agent/src/bgp/node-network.ts';
import { OUR_AS } from './link.ts';

/** What {@link OwnProcess} tells this process: one argument, in JSON. */
export interface SpeakerProcessOptions {
  /** Absent: the neighbour on the device, once it is known. */
  readonly address?: string;
  readonly device: string;
  readonly peer: PeerConnection;
  /** Own routes. */
  readonly prefixes: readonly string[];
}

/**
 * A speaker in a process of its own, which a test starts inside the namespace of one end of a link: which interface a link-local address is on is
 * looked up in the namespace of the process. It finds its peer, and resolves and installs what it learns, with what agents have for that. What it
 * sees it prints, a line of JSON for each change.
 */
const { address, device, peer, prefixes } = JSON.parse(process.argv[2]!) as SpeakerProcessOptions;
const network = new NodeNetwork();
const sink = new LearnedRouteSink();
const rib = new Rib({ asn: OUR_AS, routerId: '10.99.0.1', later: setImmediate });
const follower = rib.follow(8);
const speaker = new BgpSpeaker<PeerRouting>({
  asn: OUR_AS,
  routerId: '10.99.0.1',
  clock: systemClock,
  random: systemRandom,
  transport: tcpTransport,
  table: rib,
  parseUpdate,
  listen: [{ address: '::', port: 179 }],
  onState: (status) => print({ address: status.address, state: status.state, lastError: status.lastError }),
});

follower.onChange(() => {
  for (const { prefix, route } of follower.next(100)) {
    if (route?.own) continue;
    const nextHops = route?.nextHops.flatMap((hop) => network.resolve(hop));
    const failures = nextHops ? sink.update([{ key: prefix, row: { nextHops } }]) : sink.delete([prefix]);
    print({ prefix, nextHops: nextHops?.map((hop) => hop.address), failures: [...failures].map(([, error]) => String(error)) });
  }
});

function print(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function addPeer(found: string): void {
  speaker.addPeer({ ...peer, address: found, importPolicy: { rules: [], otherwise: 'accept' } });
}

function discover(): void {
  const store = new Store(systemClock, { onFault: ({ error }) => print({ error: String(error) }) });
  const writer = store.table<BgpGatewayRow>('neighbours');
  writer.declare(LOCAL_SCOPE);
  store.changed.listen(() => {
    const row = writer.table.get(device);
    if (row !== undefined && speaker.status().length === 0) addPeer(row.address);
  });
  new LinkNeighbours({
    devices: () => new Set([device]),
    link: network,
    writer,
    clock: systemClock,
    onFailed: (name, error) => print({ device: name, error: String(error) }),
  }).start();
}

for (const prefix of prefixes) rib.originate({ prefix });
await speaker.start();
if (address === undefined) discover();
else addPeer(address);
process.once('SIGTERM', () => void speaker.remove().then(() => process.exit(0)));

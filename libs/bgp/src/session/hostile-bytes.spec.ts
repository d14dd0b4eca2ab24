import { ManualClock, type Random, seededRandom } from '@isthmus/core';
import { ScriptedConnection, ScriptedTransport } from '../../testing/scripted-peer.ts';
import { encodeAttributes } from '../attribute/attributes.codec.ts';
import type { PathAttributes } from '../attribute/path-attributes.ts';
import { negotiate } from '../capability/negotiated.ts';
import { HEADER_BYTES, MESSAGE_TYPE, MessageFramer } from '../message/framing.ts';
import { KEEPALIVE } from '../message/keepalive.ts';
import { encodeNotification } from '../message/notification.ts';
import { encodeOpen } from '../message/open.ts';
import { encodeRouteRefresh } from '../message/route-refresh.ts';
import { parseUpdate } from '../message/update.ts';
import { Rib } from '../rib/rib.ts';
import { announcement, withdrawal } from '../rib/update-packer.ts';
import { ourOpen } from './our-open.ts';
import { PeerRoutes } from './peer-routes.ts';
import { PeerSession } from './peer-session.ts';
import type { SessionSettings } from './session-settings.ts';

const MESSAGES = 10_000;
const SEED = 20_260_801;
const OURS: SessionSettings = {
  address: '192.0.2.2',
  localAs: 65001,
  peerAs: 65002,
  routerId: '10.0.0.1',
  families: ['ipv4', 'ipv6'],
  passive: true,
  extendedNextHop: true,
  gracefulRestart: { restartTime: 120, longLived: 3600 },
};
const THEIRS = ourOpen({ ...OURS, localAs: 65002, routerId: '10.0.0.2' }, false);
const ACCEPT = { rules: [], otherwise: 'accept' } as const;

const ATTRIBUTES: Partial<PathAttributes>[] = [
  {},
  { med: 5, localPref: 300, atomicAggregate: true, aggregator: { asn: 4_200_000_001, address: '10.0.0.3' } },
  {
    communities: [0xffff_0006, 0xffff_ff01, 7],
    extendedCommunities: [1n, 2n ** 63n],
    largeCommunities: [{ global: 1, local1: 2, local2: 3 }],
  },
  { originatorId: '10.0.0.4', clusterList: ['10.0.0.5', '10.0.0.6'] },
  { unknown: [{ type: 99, flags: 0xc0, value: new Uint8Array(300).fill(1) }] },
  {
    asPath: [
      { type: 'set', asns: [1, 2, 3] },
      { type: 'sequence', asns: Array.from({ length: 300 }, (_, i) => i + 1) },
    ],
  },
];

/** Messages as honest peers send them. */
function corpus(): Uint8Array[] {
  const four = Uint8Array.of(24, 203, 0, 113, 0, 32, 198, 51, 100, 7, 9, 10, 128);
  const six = Uint8Array.of(32, 0x20, 1, 0x0d, 0xb8, 128, ...new Array<number>(16).fill(7), 0);
  const [hop4, hop6, both] = [Uint8Array.of(10, 0, 0, 2), new Uint8Array(16).fill(0x20), new Uint8Array(32).fill(0xfe)];
  const path = [{ type: 'sequence', asns: [65002, 4_200_000_001] }] as const;
  const updates = ATTRIBUTES.flatMap((more) => {
    const block = encodeAttributes({ origin: 0, asPath: path, nextHop: '', ...more });

    return [
      announcement('ipv4', block, hop4, four),
      announcement('ipv4', block, hop6, four),
      announcement('ipv6', block, hop6, six),
      announcement('ipv6', block, both, six),
    ];
  });
  const ends = (['ipv4', 'ipv6'] as const).flatMap((family) => [
    withdrawal(family, new Uint8Array(0)),
    withdrawal(family, family === 'ipv4' ? four : six),
    encodeRouteRefresh(family),
    encodeRouteRefresh(family, 'begin'),
    encodeRouteRefresh(family, 'end'),
  ]);
  return [...updates, ...ends, encodeOpen(THEIRS), encodeNotification({ code: 6, subcode: 2, text: 'bye' }), KEEPALIVE];
}

/** A message with a few octets of its body changed, cut or doubled, under a right or a wrong length. */
function mutated(message: Uint8Array, random: Random): Uint8Array {
  const pick = (below: number): number => Math.floor(random() * below);
  let body = [...message.subarray(HEADER_BYTES)];
  for (let i = pick(4); i >= 0; i--) {
    const at = pick(body.length + 1);
    const kind = pick(5);
    if (kind === 0 && body.length > 0) body[at % body.length] = pick(256);
    else if (kind === 1 && body.length > 0) body[at % body.length]! ^= 1 << pick(8);
    else if (kind === 2) body = body.slice(0, at);
    else if (kind === 3) body.splice(at, 0, ...body.slice(at, at + pick(40)));
    else body.splice(at, pick(8));
  }
  const out = Uint8Array.from([...message.subarray(0, HEADER_BYTES), ...body]);
  const length = pick(20) === 0 ? pick(5_000) : out.length;
  out[16] = length >> 8;
  out[17] = length & 0xff;
  if (pick(50) === 0) out[18] = pick(8);
  return out;
}

it(`${MESSAGES} broken messages end sessions by the book, and what is taken of them can be told to others`, () => {
  const random = seededRandom(SEED);
  const clock = new ManualClock();
  const due: (() => void)[] = [];
  const rib = new Rib({ asn: 65001, routerId: '10.0.0.1', clock, later: (run) => void due.push(run) });
  const rest = (): void => {
    for (let run = due.shift(); run; run = due.shift()) run();
  };
  const sender = rib.addPeer({ address: '192.0.2.2', asn: 65002, importPolicy: ACCEPT, maxPrefixes: 100 });
  const receiver = rib.addPeer({ address: '192.0.2.3', asn: 65003 });
  const negotiated = negotiate(ourOpen(OURS, false), ourOpen({ ...OURS, localAs: 65003, routerId: '10.0.0.3' }, false));
  const addresses = { localAddress: '192.0.2.1', remoteAddress: '192.0.2.3', remoteAs: 65003, remoteRouterId: '10.0.0.3' };
  rib.peerUp(receiver, { negotiated, ...addresses });

  const outcomes = new Map<string, number>();
  const session = (): { connection: ScriptedConnection; end(): void } => {
    const open = () => ourOpen(OURS, false);
    const routes = new PeerRoutes({ table: rib, parseUpdate, peer: sender, clock, open, onComplete: () => {} });
    const one = new PeerSession({ settings: OURS, transport: new ScriptedTransport(), routes, clock, random, onState: () => undefined });
    one.start();
    const connection = new ScriptedConnection();
    one.accept(connection);
    connection.handshake(THEIRS);
    const end = (): void => {
      one.remove();
      routes.forget();
    };
    return { connection, end };
  };
  const told = (): void => {
    const framer = new MessageFramer();
    framer.maxMessage = 65_535;
    for (let bytes = rib.nextUpdates(receiver, 65_536); bytes; bytes = rib.nextUpdates(receiver, 65_536)) {
      framer.push(bytes);
      for (let message = framer.next(); message; message = framer.next())
        if (message.type === MESSAGE_TYPE.update) expect(parseUpdate(message.body, negotiated).faults).toEqual([]);
    }
  };
  const messages = corpus();
  for (let i = 0; i < MESSAGES; i++) {
    const message = mutated(messages[i % messages.length]!, random);
    const { connection, end } = session();
    connection.receive(message, KEEPALIVE);
    const { notification, closed } = connection;
    expect(notification === undefined || (notification.code >= 1 && notification.code <= 7)).toBe(true);
    const outcome = notification ? `${notification.code}/${notification.subcode}` : closed ? 'closed' : 'stays';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    told();
    end();
    rest();
    told();
  }
  expect([...rib.routes('ipv4'), ...rib.routes('ipv6')]).toEqual([]);
  expect(rib.counts(receiver).advertised).toEqual({ ipv4: 0, ipv6: 0 });
  // All kinds of ends were met; otherwise the messages are not broken in enough ways.
  for (const kind of ['stays', 'closed', '1/2', '1/3', '3/1', '3/10', '5/3', '7/1'])
    expect([kind, outcomes.has(kind)]).toEqual([kind, true]);
}, 60_000);

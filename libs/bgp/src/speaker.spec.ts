import { ManualClock } from '@isthmus/core';
import { ScriptedConnection, settled } from '../testing/scripted-peer.ts';
import { frame, MESSAGE_TYPE } from './message/framing.ts';
import { parseUpdate } from './message/update.ts';
import { type PeerRouting, Rib } from './rib/rib.ts';
import type { BgpConnection, BgpEndpoint, BgpListener, BgpTransport } from './session/bgp-transport.ts';
import { ourOpen } from './session/our-open.ts';
import { BgpSpeaker, type PeerRange } from './speaker.ts';

const NETWORK = '192.0.2.0/24';

/** Listens without a network; a port above 1000 is taken. */
class ListeningTransport implements BgpTransport {
  readonly open: BgpEndpoint[] = [];
  #onConnection: ((connection: BgpConnection) => void) | undefined;

  connect(): Promise<BgpConnection> {
    return new Promise(() => {});
  }

  async listen(local: BgpEndpoint, _peers: unknown, onConnection: (connection: BgpConnection) => void): Promise<BgpListener> {
    if (local.port > 1000) throw new Error('taken');
    this.open.push(local);
    this.#onConnection = onConnection;
    const close = async (): Promise<void> => void this.open.splice(this.open.indexOf(local), 1);
    return { local, close, setPeer: () => {}, removePeer: () => {} };
  }

  /** Somebody connects. */
  arrive(address: string): ScriptedConnection {
    const connection = new ScriptedConnection(address);
    this.#onConnection!(connection);
    return connection;
  }
}

async function speaker(range: Partial<PeerRange<PeerRouting>>, ports = [179], restarting = false) {
  const [clock, transport] = [new ManualClock(), new ListeningTransport()];
  const rib = new Rib({ asn: 65001, routerId: '10.0.0.1', clock, later: (run) => run() });
  const made = new BgpSpeaker<PeerRouting>({
    asn: 65001,
    routerId: '10.0.0.1',
    clock,
    random: () => 0,
    transport,
    table: rib,
    parseUpdate,
    restarting,
    listen: ports.map((port) => ({ address: '0.0.0.0', port })),
    ranges: [{ asn: 65002, network: NETWORK, ...range }],
  });
  const addresses = (): string[] => made.status().map(({ address }) => address);
  return { clock, transport, rib, speaker: made, addresses };
}

const theirOpen = (settings: Partial<PeerRange<PeerRouting>>) =>
  ourOpen({ address: '', localAs: 65002, peerAs: 65001, routerId: '10.0.0.2', families: ['ipv4'], ...settings }, false);

describe('peers of a range', () => {
  it('are taken from the network alone, as many as it may have', async () => {
    const { speaker: made, transport, addresses } = await speaker({ maxPeers: 2 });
    await made.start();
    expect(transport.arrive('198.51.100.1').notification).toMatchObject({ code: 6, subcode: 5 });
    for (const host of [1, 2]) transport.arrive(`192.0.2.${host}`).handshake(theirOpen({}));
    expect(transport.arrive('192.0.2.3').notification).toMatchObject({ code: 6, subcode: 8 });
    expect(addresses()).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(made.status().map(({ state }) => state)).toEqual(['established', 'established']);
  });

  it('are forgotten a minute after they went, and make room', async () => {
    const { speaker: made, transport, addresses, clock } = await speaker({ maxPeers: 1, holdTime: 0 });
    await made.start();
    const first = transport.arrive('192.0.2.1');
    first.handshake(theirOpen({}));
    clock.advance(3_600_000);
    expect(addresses()).toEqual(['192.0.2.1']);
    first.lose();
    clock.advance(59_000);
    expect(addresses()).toEqual(['192.0.2.1']);
    clock.advance(1_000);
    expect(addresses()).toEqual([]);
    transport.arrive('192.0.2.2').handshake(theirOpen({}));
    expect(made.status()).toMatchObject([{ address: '192.0.2.2', state: 'established' }]);
  });

  it('are forgotten when they connected and said nothing', async () => {
    const { speaker: made, transport, addresses, clock } = await speaker({});
    await made.start();
    transport.arrive('192.0.2.1');
    clock.advance(300_000);
    expect(addresses()).toEqual([]);
  });

  it('stay while their routes are kept', async () => {
    const restart = { gracefulRestart: { restartTime: 200 } };
    const { speaker: made, transport, addresses, clock } = await speaker(restart);
    await made.start();
    const first = transport.arrive('192.0.2.1');
    first.handshake(theirOpen(restart));
    first.lose();
    clock.advance(199_000);
    expect(addresses()).toEqual(['192.0.2.1']);
    clock.advance(60_000);
    expect(addresses()).toEqual([]);
  });
});

it('does not go on listening anywhere when it cannot listen everywhere', async () => {
  const { speaker: made, transport } = await speaker({}, [179, 1179]);
  await expect(made.start()).rejects.toThrow('taken');
  expect(transport.open).toEqual([]);
});

describe('a peer that something else knows to be out of reach', () => {
  it('loses its routes at once, whatever graceful restart would keep, and is told why', async () => {
    const restart = { gracefulRestart: { restartTime: 200 } };
    const { speaker: made, transport } = await speaker(restart);
    await made.start();
    const peer = transport.arrive('192.0.2.1');
    peer.handshake(theirOpen(restart));
    expect(made.status()).toMatchObject([{ state: 'established', complete: [] }]);
    made.failPeer('192.0.2.1', 'BFD says so');
    expect(peer.notification).toMatchObject({ code: 6, subcode: 9, inner: 10 }); // both have the N bit, RFC 8538
    expect(made.status()).toMatchObject([{ stale: [], lastError: 'BFD says so' }]);
  });
});

describe('a speaker that is back from a restart', () => {
  const restart = { gracefulRestart: { restartTime: 120 } };
  const END_OF_RIB = frame(MESSAGE_TYPE.update, new Uint8Array(4));
  const updates = ({ types }: ScriptedConnection): number => types.filter((type) => type === MESSAGE_TYPE.update).length;

  async function back() {
    const made = await speaker({}, [179], true);
    for (const host of [1, 2]) made.speaker.addPeer({ address: `198.51.100.${host}`, asn: 65002, passive: true, ...restart });
    made.rib.originate({ prefix: '10.1.0.0/16' });
    await made.speaker.start();
    const connect = async (host: number): Promise<ScriptedConnection> => {
      const peer = made.transport.arrive(`198.51.100.${host}`);
      peer.handshake(theirOpen({ ...restart, routerId: `10.0.1.${host}` } as object));
      await settled();
      return peer;
    };
    return { ...made, connect };
  }

  it('tells own routes at once, and that these are all when every peer that keeps its routes has told all of its own', async () => {
    const { connect } = await back();
    const first = await connect(1);
    first.receive(END_OF_RIB);
    await settled();
    expect(updates(first)).toBe(1);
    const second = await connect(2);
    expect(updates(second)).toBe(1);
    second.receive(END_OF_RIB);
    await settled();
    expect([updates(first), updates(second)]).toEqual([2, 2]);
  });

  it('waits half a minute at most, and for nobody who is configured no longer', async () => {
    for (const end of ['time', 'removal']) {
      const { connect, clock, speaker: made } = await back();
      const first = await connect(1);
      first.receive(END_OF_RIB);
      clock.advance(29_000);
      await settled();
      expect(updates(first)).toBe(1);
      if (end === 'time') clock.advance(1_000);
      else made.removePeer('198.51.100.2');
      await settled();
      expect(updates(first)).toBe(2);
    }
  });
});

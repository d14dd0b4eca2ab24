import { ManualClock } from '@isthmus/core';
import { WireGuardKey } from '../wireguard-key.ts';
import type { WireGuardDeviceState, WireGuardKeepalive, WireGuardPeer, WireGuardPort } from '../wireguard-port.ts';
import { RotationRunner, type RotationRunnerOptions } from './rotation-runner.ts';
import type { PeerView } from './rotation-view.ts';

const PEERS = 250;
/** What a device says of a peer that shook hands. */
const SEEN = { hasPresharedKey: false, endpoint: undefined, latestHandshake: 1, received: 0, sent: 0 };

/** A node at epoch 2 among others that publish keys of it, with devices in memory. */
function fixture(peers: readonly PeerView[]) {
  const key = WireGuardKey.generate((length) => new Uint8Array(length).fill(7));
  const text = key.text();
  const clock = new ManualClock();
  const calls: string[] = [];
  const even: { state: WireGuardDeviceState } = { state: { publicKey: key.publicKey, listenPort: 51_871, mark: 0, peers: [] } };
  const wireguard: WireGuardPort = {
    show: async (device) => (device === 'even0' ? even.state : undefined),
    setUp: async () => void calls.push('set-up'),
    putPeers: async (_device, put: readonly WireGuardPeer[]) => {
      calls.push(`put ${put.length}`);
      const has = put.map(({ publicKey, allowedIps, keepaliveSeconds }) => ({ ...SEEN, publicKey, allowedIps, keepaliveSeconds }));
      const others = even.state.peers.filter((peer) => !put.some(({ publicKey }) => publicKey === peer.publicKey));
      even.state = { ...even.state, peers: [...others, ...has] };
    },
    setKeepalive: async (_device, set: readonly WireGuardKeepalive[]) => {
      calls.push(`keepalive ${set.map(({ keepaliveSeconds }) => keepaliveSeconds)}`);
      const wanted = new Map(set.map(({ publicKey, keepaliveSeconds }) => [publicKey, keepaliveSeconds]));
      const peers = even.state.peers.map((peer) => ({ ...peer, keepaliveSeconds: wanted.get(peer.publicKey) ?? peer.keepaliveSeconds }));
      even.state = { ...even.state, peers };
    },
    removePeers: async (_device, keys) => void calls.push(`remove ${keys.length}`),
    clear: async () => void calls.push('clear'),
  };
  const options: { -readonly [K in keyof RotationRunnerOptions]: RotationRunnerOptions[K] } = {
    name: 'east/n0000',
    times: { drainMs: 1_000, maxOverlapMs: 1_000 },
    clock,
    random: (length) => new Uint8Array(length),
    keys: {
      load: async () => ({ keys: new Map([[2, WireGuardKey.parse(text)]]) }),
      save: async () => void calls.push('save'),
      remove: async () => void calls.push('forget'),
      file: (epoch) => `epoch-${epoch}`,
    },
    wireguard,
    devices: { even: 'even0', odd: 'odd0' },
    mark: 1,
    ensureDevice: async () => void calls.push('ensure'),
    target: () => 2,
    published: () => undefined,
    publish: async () => void calls.push('publish'),
    peers: () => peers,
    placeOf: (peer) => (peer === 'east/gone' ? undefined : { address: '192.0.2.1', allowedIps: ['10.1.0.0/24'] }),
    send: async () => void calls.push('send'),
    close: async () => void calls.push('close'),
  };
  /** @param at when all peers last shook hands; 0: never */
  const shaken = (at: number): void => {
    even.state = { ...even.state, peers: even.state.peers.map((each) => ({ ...each, latestHandshake: at })) };
  };
  return { runner: new RotationRunner(options), options, calls, even, clock, shaken };
}

const peer = (name: string): PeerView => {
  return { name, tx: 'closed', record: { epochs: [{ epoch: 2, publicKey: `key of ${name}`, port: 51_871 }], minTx: 2, laggards: [] } };
};
const many = Array.from({ length: PEERS }, (_, i) => peer(`east/n${String(i + 1).padStart(4, '0')}`));

it('gives a device all peers that came together in one call, asks them for a handshake after a moment, and sends once they have shaken hands', async () => {
  const { runner, calls, even, clock, shaken } = fixture(many);
  await runner.step();
  expect([calls.splice(0), even.state.peers.length]).toEqual([[`put ${PEERS}`, 'publish'], PEERS]);
  shaken(0);
  await runner.step();
  clock.advance(1_000);
  await runner.step();
  expect(calls.splice(0)).toEqual(['publish', `keepalive ${Array(PEERS).fill(0)}`, `keepalive ${Array(PEERS).fill(1)}`, 'publish']);
  shaken(1);
  await runner.step();
  // None of them need be asked any more, which goes in one call, too.
  expect(calls).toEqual([...Array(PEERS).fill('send'), `keepalive ${Array(PEERS).fill(0)}`, 'publish']);
});

it('waits for the datapath of all peers at once, and for all of them where one fails', async () => {
  const { runner, options } = fixture(many);
  await runner.step();
  const waiting: { answer(): void; fail(error: Error): void }[] = [];
  options.send = () => new Promise((answer, fail) => waiting.push({ answer, fail }));
  let ended = false;
  const step = runner.step().finally(() => (ended = true));
  for (let turn = 0; turn < 100 && waiting.length < PEERS; turn++) await new Promise(setImmediate);
  expect(waiting.length).toBe(PEERS);
  waiting[0]!.fail(new Error('no such element'));
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  for (const { answer } of waiting.slice(1)) answer();
  await expect(step).rejects.toThrow('no such element');
});

it('takes away in one call what nobody publishes any more, and leaves out who is gone meanwhile', async () => {
  const { runner, calls, even } = fixture([peer('east/gone')]);
  const stranger = { ...SEEN, allowedIps: [], keepaliveSeconds: 0 };
  even.state = { ...even.state, peers: ['a', 'b', 'c'].map((publicKey) => ({ publicKey, ...stranger })) };
  await runner.step();
  expect(calls).toEqual(['remove 3', 'publish']);
});

it('gives a peer the networks that its node has got since, and no others again and again', async () => {
  const { runner, calls, even } = fixture([peer('east/n0001')]);
  await runner.step();
  even.state = { ...even.state, peers: even.state.peers.map((each) => ({ ...each, allowedIps: [] })) };
  calls.splice(0);
  await runner.step();
  expect(calls[0]).toBe('put 1');
  expect(even.state.peers.map(({ allowedIps }) => allowedIps)).toEqual([['10.1.0.0/24']]);
  calls.splice(0);
  await runner.step();
  expect(calls).not.toContain('put 1');
});

it('says nothing of its networks to a peer that is there while it asks for a handshake: they would be gone for a moment', async () => {
  const { runner, calls, clock, shaken } = fixture([peer('east/n0001')]);
  await runner.step();
  shaken(0);
  calls.splice(0);
  await runner.step();
  clock.advance(1_000);
  await runner.step();
  expect(calls.filter((call) => /put|keepalive/.test(call))).toEqual(['keepalive 0', 'keepalive 1']);
  shaken(1);
  calls.splice(0);
  await runner.step();
  expect(calls.filter((call) => /put|keepalive/.test(call))).toEqual(['keepalive 0']);
});

import type { PeerView, WireGuardDeviceState } from '@isthmus/crypto';
import { type EncryptionFacts, encryptionStatus } from './encryption-status.ts';
import { fingerprintOf } from './key-fingerprint.ts';

const OWN = Buffer.alloc(32, 1).toString('base64');
const peer = (name: string, tx: PeerView['tx'], ...epochs: number[]): PeerView => ({
  name,
  tx,
  record: { epochs: epochs.map((epoch) => ({ epoch, publicKey: `${name} ${epoch}`, port: 51_871 })), minTx: 0, laggards: [] },
});

function facts(peers: readonly PeerView[]): EncryptionFacts {
  const state = (publicKey: string, latestHandshake: number) => {
    return { publicKey, latestHandshake, received: 10, sent: 5, hasPresharedKey: false, endpoint: '', allowedIps: [], keepaliveSeconds: 0 };
  };
  const even: WireGuardDeviceState = {
    publicKey: OWN,
    listenPort: 51_871,
    mark: 0,
    peers: [state('east/n2 2', 940), state('east/n3 2', 0)],
  };
  return {
    node: 'east/n1',
    strict: true,
    encryptNode: false,
    implementation: 'kernel',
    problem: undefined,
    exempt: [],
    keys: new Map([[2, OWN]]),
    past: [{ epoch: 2, fingerprint: fingerprintOf(OWN), madeAt: '1970-01-01T00:16:10Z', goneAt: null }],
    rotation: { lastSeconds: undefined, oldEpochPackets: 0 },
    devices: { even, odd: undefined },
    peers,
    isExcluded: (name) => name.startsWith('shut/'),
    preshared: { mode: 'preferred', agreed: () => false, failureOf: () => undefined },
    target: { epoch: 2, ignored: [] },
    targets: [{ cluster: 'east', clusterId: 1, target: 2, startedAt: '2026-01-01T00:00:00Z', by: 'operator', reason: 'schedule' }],
    now: 1000,
  };
}

it('says of each peer how it is reached, and since when', () => {
  const { peers } = encryptionStatus(
    facts([
      peer('east/n3', 'closed', 2),
      peer('east/n2', 'even', 2),
      peer('east/n4', 'closed', 1),
      { name: 'east/n5', tx: 'closed', record: undefined },
    ]),
  );
  expect(peers.map(({ name, state, epoch, handshakeAgeSeconds }) => [name, state, epoch, handshakeAgeSeconds])).toEqual([
    ['east/n2', 'encrypted', 2, 60],
    ['east/n3', 'handshake', null, null],
    ['east/n4', 'closed', null, null],
    ['east/n5', 'no-keys', null, null],
  ]);
});

it('says which peers have no preshared key yet where one is required, and why', () => {
  const agreed = (_: number, publicKey: string): boolean => publicKey === 'east/n3 2';
  const failureOf = (name: string): string | undefined => (name === 'east/n4' ? 'no answer' : undefined);
  const { peers } = encryptionStatus({
    ...facts([peer('east/n3', 'closed', 2), peer('east/n4', 'closed', 2)]),
    preshared: { mode: 'required', agreed, failureOf },
  });
  expect(peers.map(({ name, state, pqProblem }) => [name, state, pqProblem])).toEqual([
    ['east/n3', 'handshake', undefined],
    ['east/n4', 'preshared-key', 'no answer'],
  ]);
});

it('counts who is at the target, names who is behind, and who has no keys at all', () => {
  const { mesh } = encryptionStatus(
    facts([peer('east/n2', 'even', 1, 2), peer('east/n4', 'closed', 1), { name: 'b/c', tx: 'closed', record: undefined }]),
  );
  expect(mesh).toMatchObject({
    target: 2,
    nodes: 3,
    atTarget: 2,
    laggards: ['east/n4'],
    withoutKeys: ['b/c'],
    blockedBy: [],
    targetSince: '2026-01-01T00:00:00Z',
  });
});

it('tells nodes that know of no epochs, and those that are left out, from nodes that are behind', () => {
  const record = { epochs: [{ epoch: 2, publicKey: 'east/n2 2', port: 51_871 }], minTx: 0, laggards: [] };
  const status = encryptionStatus(
    facts([
      { name: 'cilium/n1', tx: 'even', record, withoutEpochs: true },
      { name: 'cilium/n2', tx: 'closed', record: { ...record, epochs: [] }, withoutEpochs: true },
      { name: 'shut/n1', tx: 'closed', record: undefined },
    ]),
  );
  expect(status.mesh).toMatchObject({ nodes: 1, atTarget: 1, laggards: [], withoutKeys: [], blockedBy: ['cilium/n1', 'cilium/n2'] });
  expect(status.peers.map(({ state, epoch }) => [state, epoch])).toEqual([
    ['encrypted', 2],
    ['no-keys', null],
    ['excluded', null],
  ]);
});

it('shows fingerprints and ages of keys, not keys', () => {
  const status = encryptionStatus(facts([peer('east/n2', 'even', 2)]));
  expect(status.devices.map(({ epoch, keyAgeSeconds, fingerprint }) => [epoch, keyAgeSeconds, fingerprint.length])).toEqual([
    [2, 30, 16],
    [null, null, 0],
  ]);
  expect(JSON.stringify(status)).not.toContain(OWN);
});

it('tells of a target that is not listened to', () => {
  const { problem } = encryptionStatus({ ...facts([]), target: { epoch: 2, ignored: [{ cluster: 'west', target: 0xffff_ffff }] } });
  expect(problem).toContain('cluster west wants epoch 4294967295, too far ahead of 2, and is not listened to: connect');
});

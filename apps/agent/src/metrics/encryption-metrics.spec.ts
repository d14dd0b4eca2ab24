import { MetricSet, prometheusText } from '@isthmus/core';
import { type EncryptionStatus, NO_ENCRYPTION, type PeerEncryption } from '../encryption/encryption-status.ts';
import { measureEncryption } from './encryption-metrics.ts';
import { AGENT_METRICS } from './metric-list.ts';

async function lines(status: EncryptionStatus): Promise<string[]> {
  const metrics = new MetricSet(AGENT_METRICS);
  measureEncryption(metrics, () => status);
  const { body } = await prometheusText(metrics);
  return body.split('\n').filter((line) => line.startsWith('isthmus_wireguard'));
}

const peer = (name: string, rest: Partial<PeerEncryption>): PeerEncryption => {
  return { name, tx: 'even', epoch: 2, handshakeAgeSeconds: null, receivedBytes: 0, sentBytes: 0, pq: false, state: 'encrypted', ...rest };
};

it('counts peers by how they are reached', async () => {
  const status: EncryptionStatus = {
    ...NO_ENCRYPTION,
    node: 'east/n1',
    devices: [{ name: 'isth_wg_even', device: 'even', port: 51_871, epoch: 2, keyAgeSeconds: 90, fingerprint: '' }],
    rotation: { lastSeconds: 4.5, oldEpochPackets: 12 },
    peers: [
      peer('a', { handshakeAgeSeconds: 5 }),
      peer('b', { handshakeAgeSeconds: 80, pq: true }),
      peer('c', { state: 'no-keys', epoch: null }),
    ],
    mesh: { ...NO_ENCRYPTION.mesh, target: 3, laggards: ['a', 'b'], blockedBy: ['d'] },
  };
  expect(await lines(status)).toEqual([
    'isthmus_wireguard_target_epoch 3',
    'isthmus_wireguard_epoch{device="even"} 2',
    'isthmus_wireguard_key_age_seconds{device="even"} 90',
    'isthmus_wireguard_rotation_duration_seconds 4.5',
    'isthmus_wireguard_old_epoch_packets_total 12',
    'isthmus_wireguard_peers{state="encrypted"} 2',
    'isthmus_wireguard_peers{state="preshared-key"} 0',
    'isthmus_wireguard_peers{state="handshake"} 0',
    'isthmus_wireguard_peers{state="closed"} 0',
    'isthmus_wireguard_peers{state="no-keys"} 1',
    'isthmus_wireguard_peers{state="excluded"} 0',
    'isthmus_wireguard_pq_peers 1',
    'isthmus_wireguard_handshake_age_seconds 80',
    'isthmus_wireguard_rotation_blockers 1',
    'isthmus_wireguard_laggards 2',
  ]);
});

it('is zero without encryption', async () => {
  expect((await lines({ ...NO_ENCRYPTION, node: 'east/n1' })).every((line) => line.endsWith(' 0'))).toBe(true);
});

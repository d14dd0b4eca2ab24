import type { MetricSet } from '@isthmus/core';
import type { EncryptionStatus, PeerEncryptionState } from '../encryption/encryption-status.ts';
import type { AGENT_METRICS } from './metric-list.ts';

const STATES: readonly PeerEncryptionState[] = ['encrypted', 'preshared-key', 'handshake', 'closed', 'no-keys', 'excluded'];

/** Metrics of encryption; all zero where there is none. */
export function measureEncryption(metrics: MetricSet<typeof AGENT_METRICS>, status: () => EncryptionStatus): void {
  metrics.read('isthmus_wireguard_target_epoch', () => [[{}, status().mesh.target]]);
  metrics.read('isthmus_wireguard_epoch', () => status().devices.map(({ device, epoch }) => [{ device }, epoch ?? 0]));
  metrics.read('isthmus_wireguard_key_age_seconds', () =>
    status().devices.map(({ device, keyAgeSeconds }) => [{ device }, keyAgeSeconds ?? 0]),
  );
  metrics.read('isthmus_wireguard_rotation_duration_seconds', () => [[{}, status().rotation.lastSeconds ?? 0]]);
  metrics.read('isthmus_wireguard_old_epoch_packets_total', () => [[{}, status().rotation.oldEpochPackets]]);
  metrics.read('isthmus_wireguard_peers', () =>
    STATES.map((state) => [{ state }, status().peers.filter((peer) => peer.state === state).length]),
  );
  metrics.read('isthmus_wireguard_pq_peers', () => [[{}, status().peers.filter(({ pq }) => pq).length]]);
  metrics.read('isthmus_wireguard_handshake_age_seconds', () => [
    [{}, Math.max(0, ...status().peers.map(({ handshakeAgeSeconds }) => handshakeAgeSeconds ?? 0))],
  ]);
  metrics.read('isthmus_wireguard_laggards', () => [[{}, status().mesh.laggards.length]]);
  metrics.read('isthmus_wireguard_rotation_blockers', () => [[{}, status().mesh.blockedBy.length]]);
}

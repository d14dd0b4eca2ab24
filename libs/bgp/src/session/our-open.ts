import type { Capability } from '../capability/capability.ts';
import type { Open } from '../message/open.ts';
import { SESSION_DEFAULTS, type SessionSettings } from './session-settings.ts';

/**
 * The OPEN for a peer.
 * @param restarting sets the restart bit of RFC 4724 §3: this speaker is back from a restart, the peer need not wait for routes of it
 */
export function ourOpen(settings: SessionSettings, restarting: boolean): Open {
  const { families, gracefulRestart, addPath } = settings;
  const capabilities: Capability[] = families.map((family) => ({ kind: 'multiprotocol', family }));
  capabilities.push({ kind: 'route-refresh' }, { kind: 'enhanced-route-refresh' }, { kind: 'extended-message' });
  if (settings.extendedNextHop && families.includes('ipv4')) capabilities.push({ kind: 'extended-next-hop' });
  if (gracefulRestart !== undefined) {
    // What forwards is the kernel, which goes on without this process.
    const kept = families.map((family) => ({ family, forwarding: true }));
    capabilities.push({
      kind: 'graceful-restart',
      restarting,
      notification: true,
      restartTime: gracefulRestart.restartTime,
      families: kept,
    });
  }
  if (gracefulRestart?.longLived) {
    const seconds = gracefulRestart.longLived;
    capabilities.push({ kind: 'long-lived-graceful-restart', families: families.map((family) => ({ family, forwarding: true, seconds })) });
  }
  capabilities.push({ kind: 'four-octet-as', asn: settings.localAs });
  if (addPath !== undefined) capabilities.push({ kind: 'add-path', families: families.map((family) => ({ family, ...addPath })) });
  return { asn: settings.localAs, routerId: settings.routerId, holdTime: settings.holdTime ?? SESSION_DEFAULTS.holdTime, capabilities };
}

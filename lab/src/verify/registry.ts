import { bgpMaintenanceChecks } from './bgp-maintenance.checks.ts';
import { modeCheck } from './bgp-mode.check.ts';
import { bgpRouteChecks } from './bgp-route.checks.ts';
import { bgpTrafficChecks } from './bgp-traffic.checks.ts';
import { brokenClusterCheck } from './broken-cluster.check.ts';
import type { Check } from './check.ts';
import { disconnectCheck } from './disconnect.check.ts';
import { encryptionChecks } from './encryption.checks.ts';
import { encryptionFaultChecks } from './encryption-faults.checks.ts';
import { encryptionLoadChecks } from './encryption-load.checks.ts';
import { encryptionLoadFaultChecks } from './encryption-load-faults.checks.ts';
import { encryptionMeetingChecks } from './encryption-meeting.checks.ts';
import { forgedTunnelCheck } from './forged-tunnel.check.ts';
import { hostChecks } from './host.checks.ts';
import { notReadyCheck } from './not-ready.check.ts';
import { podPoolCheck } from './pod-pool.check.ts';
import { podToPodChecks } from './pod-to-pod.checks.ts';
import { processesCheck } from './processes.check.ts';
import { rackChecks } from './rack.checks.ts';
import { restartChecks } from './restart.checks.ts';
import { senderIdentityChecks } from './sender-identity.checks.ts';
import { serviceChecks } from './service.checks.ts';
import { serviceFailoverCheck } from './service-failover.check.ts';
import { sizeChecks } from './size.checks.ts';
import { snifferCheck } from './sniffer.check.ts';
import { underlayCheck } from './underlay.check.ts';

/** What the lab proves, in the order of its final table. */
export const CHECKS: readonly Check[] = [
  processesCheck,
  underlayCheck,
  ...rackChecks,
  ...podToPodChecks,
  ...senderIdentityChecks,
  forgedTunnelCheck,
  ...hostChecks,
  ...sizeChecks,
  notReadyCheck,
  ...serviceChecks,
  serviceFailoverCheck,
  ...bgpRouteChecks,
  podPoolCheck,
  ...bgpTrafficChecks,
  ...bgpMaintenanceChecks,
  modeCheck,
  ...encryptionChecks,
  ...encryptionLoadChecks,
  ...encryptionLoadFaultChecks,
  ...encryptionFaultChecks,
  ...encryptionMeetingChecks,
  ...restartChecks,
  disconnectCheck,
  brokenClusterCheck,
  snifferCheck,
];

import { type Clock, CodedError, LOCAL_SCOPE, LOG, type Logger, type Random } from '@isthmus/core';
import type { WireGuardDevice } from '@isthmus/crypto';
import { LearnedRouteSink, matchRoute, NetlinkSocket, peerTx, RingBuffer, RouteSink } from '@isthmus/datapath';
import type { Config } from '@isthmus/model';
import { ENCRYPTION_TUNNEL } from './agent.errors.ts';
import type { AgentFacts } from './agent-facts.ts';
import type { TunnelStatus } from './agent-status.ts';
import { declareKernelSinks, type KernelSinks } from './datapath/agent-sinks.ts';
import { cgroupRoot } from './datapath/cgroup.ts';
import { type DatapathDevices, ensureDevices, POD_NEXT_HOP, setHostAddresses } from './datapath/devices.ts';
import { EventFanout } from './datapath/event-fanout.ts';
import { type LoadedPrograms, startPrograms } from './datapath/programs.ts';
import { removeOtherTunnels } from './datapath/tunnel.ts';
import type { OpenEncryption } from './encryption/encryption-hands.ts';
import { removeWireGuard } from './encryption/wireguard-devices.ts';
import type { PodAddresses } from './endpoint/endpoint-ports.ts';
import { sinkReport } from './sink-report.ts';
import type { AgentTables } from './tables/agent-tables.ts';

/** What the agent has in the kernel. */
export interface AgentKernel {
  readonly devices: DatapathDevices;
  readonly programs: LoadedPrograms;
  readonly sinks: KernelSinks;
  /** By which WireGuard device an earlier agent had packets sent to each address of another node. */
  readonly adoptedTx: ReadonlyMap<string, WireGuardDevice>;
  /** Removes devices and programs of a protocol that an earlier agent used: once all pods send by the new one. */
  removeOtherTunnels(): void;
  /** Stops reading events; programs, maps, devices and routes stay. */
  close(): void;
}

/** What it is made from. */
export interface AgentKernelOptions {
  readonly config: Config;
  readonly facts: AgentFacts;
  readonly gateway: PodAddresses;
  readonly tables: AgentTables;
  readonly events: EventFanout;
  /** Undefined: nothing is encrypted. */
  readonly encryption: OpenEncryption | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Brings the kernel's part up, or takes over what an earlier agent left: devices, programs in place of the old ones, maps as they are.
 * @throws CodedError naming what the kernel refuses; ENCRYPTION_TUNNEL
 */
export function startKernel({ config, facts, gateway, tables, events, encryption, clock, random, log }: AgentKernelOptions): AgentKernel {
  const tunneled = facts.routingMode !== 'native';
  const devices = ensureDevices({
    tunnel: tunneled ? { protocol: facts.tunnelProtocol, port: facts.tunnelPort, mtu: facts.podMtu } : undefined,
    podMtu: facts.podMtu,
    ipv6: config['enable-ipv6'] || facts.underlay.ipv4 === '',
  });
  if (encryption && devices.tunnel && devices.tunnel.device === undefined) throw geneveUnencrypted();
  setHostAddresses(devices.host, gateway);
  const programs = startPrograms(
    {
      objectDir: facts.bpfObjectDir,
      pinFolder: config['bpf-root'],
      cgroup: cgroupRoot(config['cgroup-root']),
      gateway,
      podMtu: facts.podMtu,
      dualStack: config['enable-ipv4'] && config['enable-ipv6'],
      native: facts.routingMode !== 'tunnel',
      maxEntries: mapLimits(config),
      underlay: facts.underlay,
      encryption: encryption && { ...encryption, strict: config['encryption-strict-mode'] },
    },
    devices,
  );
  for (const { name, rows, changes } of programs.migrated) log.info({ map: name, rows, changes }, 'a map of another layout was taken over');
  publishHostAddresses(tables, facts, gateway, devices);
  const routes = new RouteSink({
    device: devices.host.index,
    via: POD_NEXT_HOP,
    source: { 4: gateway.ipv4, 6: gateway.ipv6 },
    ownClusterId: facts.clusterId,
  });
  const adoptedTx = peerTx(programs.map('isth_peers').entries());
  const own = { ...facts };
  const report = sinkReport(log);
  const sinks = declareKernelSinks({
    tables,
    own,
    programs,
    pinFolder: config['bpf-root'],
    tcx: config['enable-tcx'],
    routes,
    learnedRoutes: new LearnedRouteSink({ 4: localAddress(facts.underlay.ipv4), 6: localAddress(facts.underlay.ipv6) }),
    clock,
    random,
    report,
  });
  events.start(
    () => new RingBuffer(programs.map('isth_events')),
    (error) => log.warn({ [LOG.error]: error }, 'an event could not be read'),
  );
  return {
    devices,
    programs,
    sinks,
    adoptedTx,
    removeOtherTunnels: () => {
      NetlinkSocket.using('route', undefined, (socket) => {
        removeOtherTunnels(socket, tunneled ? facts.tunnelProtocol : undefined);
        if (encryption === undefined) removeWireGuard(socket, config['state-dir']);
      });
      programs.detachOthers();
    },
    close: () => {
      events.stop();
      programs.close();
    },
  };
}

/** XDP takes the tunnel off where packets come in: on a physical device, before anybody has decrypted them. */
function geneveUnencrypted(): CodedError {
  return new CodedError(ENCRYPTION_TUNNEL, 'tunnel-protocol is geneve, and this kernel has no GENEVE device', {
    object: 'enable-wireguard',
  });
}

/** How many rows each map may have, where that is set. */
function mapLimits(config: Config): Record<string, number> {
  const limits = Object.entries({
    isth_endpoints: config['bpf-endpoints-max'],
    isth_ipcache: config['bpf-ipcache-max'],
    isth_peers: config['bpf-peers-max'],
    isth_services: config['bpf-services-max'],
    isth_backends: config['bpf-backends-max'],
    isth_revnat: config['bpf-revnat-max'],
    isth_sock_nat: config['bpf-sock-nat-max'],
  });
  return Object.fromEntries(limits.filter(([, rows]) => rows > 0));
}

/** The address if the node has it itself: another one, which somebody translates into it, cannot be sent from. Empty otherwise. */
function localAddress(ip: string): string {
  if (ip === '') return '';
  return NetlinkSocket.using('route', undefined, (socket) => (matchRoute(socket, ip)?.type === 'local' ? ip : ''));
}

/** How packets get to other nodes, in the words of the status; undefined where they need no tunnel. */
export function tunnelStatus({ devices, programs }: Pick<AgentKernel, 'devices' | 'programs'>): TunnelStatus | undefined {
  if (devices.tunnel === undefined) return undefined;
  const { protocol, port, device } = devices.tunnel;
  return { protocol, port, device: device?.name ?? '', xdp: programs.xdp };
}

function publishHostAddresses(tables: AgentTables, facts: AgentFacts, gateway: PodAddresses, devices: DatapathDevices): void {
  const { hostAddresses } = tables.sources;
  const underlay = facts.underlay.devices[0]?.index ?? 0;
  tables.store.transact(() => {
    for (const ip of [facts.underlay.ipv4, facts.underlay.ipv6]) if (ip !== '') hostAddresses.put(ip, { ifindex: underlay });
    for (const ip of [gateway.ipv4, gateway.ipv6]) if (ip !== '') hostAddresses.put(ip, { ifindex: devices.host.index });
  });
  hostAddresses.synced(LOCAL_SCOPE);
}

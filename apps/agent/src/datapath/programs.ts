import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  addressBytesOr0,
  attachEgress,
  attachIngress,
  attachSocketHooks,
  attachXdp,
  type BpfMap,
  BpfObject,
  ConfigFlag,
  detachEgress,
  encodeDatapathConfig,
  listLinks,
  type MigratedMap,
  NetlinkSocket,
  removePin,
  writeEncryptExemptions,
  type XdpMode,
} from '@isthmus/datapath';
import type { EncryptionExemption } from '@isthmus/model';
import { parseMac } from '@isthmus/net';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import type { NodeUnderlay } from '../node/node-addresses.ts';
import type { DatapathDevices } from './devices.ts';
import type { Tunnel } from './tunnel.ts';

/** What the programs are told at load. */
export interface ProgramOptions {
  readonly objectDir: string;
  readonly pinFolder: string;
  readonly cgroup: string;
  readonly gateway: PodAddresses;
  readonly podMtu: number;
  readonly dualStack: boolean;
  /** Pods of other nodes may come without a tunnel. */
  readonly native: boolean;
  /** Rows by map, where not as built. */
  readonly maxEntries: Readonly<Record<string, number>>;
  readonly underlay: NodeUnderlay;
  /** Absent: packets go to other nodes as they are. */
  readonly encryption?: EncryptionOptions | undefined;
}

/** What the programs are told about encryption. */
export interface EncryptionOptions {
  /** Indexes of the WireGuard devices; 0: there is none. */
  readonly ifindex: { readonly even: number; readonly odd: number };
  /** The nodes' own packets are encrypted too, */
  readonly node: boolean;
  /** but for these. */
  readonly exempt: readonly EncryptionExemption[];
  /** What cannot be encrypted, or has not been, is dropped. */
  readonly strict: boolean;
}

/** Programs and maps at work. */
export interface LoadedPrograms {
  readonly podProgram: number;
  /** Maps of the agent's last run that had another layout or size. */
  readonly migrated: readonly MigratedMap[];
  /** How XDP runs on each physical device, by the device's name; empty where the kernel has the tunnel's device. */
  readonly xdp: Readonly<Record<string, XdpMode>>;
  map(name: string): BpfMap;
  /** Detaches what an earlier agent attached for another tunnel. */
  detachOthers(): void;
  close(): void;
}

/** Where the network's packets come in, and the program that takes the tunnel off there. */
const OVERLAY_PROGRAM = 'from_overlay';
const XDP_PROGRAM = 'decap_geneve';
/** Where they leave. */
const EGRESS_PROGRAM = 'to_netdev';

/**
 * Loads all programs over the pinned maps and attaches them, or swaps them in place where an earlier agent attached its own: at no instant is
 * a device without a program, or a program without a full map. Pods' devices are attached by their sink.
 * @throws CodedError BPF_LOAD, BPF_MAP_LAYOUT, BPF_MAP_FULL, BPF_ATTACH, BPF_XDP_TAKEN
 */
export function startPrograms(options: ProgramOptions, devices: DatapathDevices): LoadedPrograms {
  const config = encodeDatapathConfig(datapathConfig(options, devices));
  const { objectDir, pinFolder, maxEntries } = options;
  const load = (name: string): BpfObject => BpfObject.load({ path: join(objectDir, `${name}.bpf.o`), config, pinFolder, maxEntries });
  const { tunnel } = devices;
  // Before anything else: what the others send from now on is encrypted.
  const egress = options.encryption && attachEncryption(options, options.encryption, load('egress'));
  const arrival = tunnel && load(tunnel.device ? 'overlay' : 'geneve');
  const objects = { pod: load('pod'), host: load('host'), netdev: load('netdev'), sock: load('sock') };
  const attach = (object: BpfObject, program: string, device: { index: number; name: string }): void =>
    void attachIngress({ programFd: object.program(program), ifindex: device.index, pin: linkPin(options, program, device) });
  // What arrives by the tunnel must be understood before anybody is sent anything by it.
  const xdp: Record<string, XdpMode> = {};
  if (arrival && tunnel.device) attach(arrival, OVERLAY_PROGRAM, tunnel.device);
  for (const device of options.underlay.devices) {
    attach(objects.netdev, 'from_netdev', device);
    if (arrival && !tunnel.device) xdp[device.name] = attachDecapsulation(options, arrival, device);
  }
  attach(objects.host, 'from_host', devices.net);
  attachSocketHooks(options.cgroup, options.pinFolder, (name) => objects.sock.program(name));
  if (!egress) detachEncryption(options);
  const all = [egress, arrival, ...Object.values(objects)].filter((object) => object !== undefined);
  for (const object of all) object.migrationsDone();
  return {
    podProgram: objects.pod.program('from_pod'),
    migrated: all.flatMap((object) => object.migrated),
    xdp,
    map: (name) => findMap(all, name),
    detachOthers: () => detachOthers(options.pinFolder, tunnel),
    close: () => {
      for (const object of all) object.close();
    },
  };
}

function datapathConfig(options: ProgramOptions, { tunnel, host }: DatapathDevices) {
  const { podMtu, underlay, gateway, encryption } = options;
  return {
    flags: configFlags(options, tunnel),
    tunnelIfindex: tunnel?.device?.index ?? 0,
    tunnelMtu: podMtu,
    tunnelPort: tunnel?.port ?? 0,
    hostIfindex: host.index,
    hostMac: parseMac(host.mac)?.bytes ?? new Uint8Array(6),
    underlayIpv4: addressBytesOr0(underlay.ipv4, 4),
    underlayIpv6: addressBytesOr0(underlay.ipv6, 6),
    gatewayIpv4: addressBytesOr0(gateway.ipv4, 4),
    gatewayIpv6: addressBytesOr0(gateway.ipv6, 6),
    wireguardEvenIfindex: encryption?.ifindex.even ?? 0,
    wireguardOddIfindex: encryption?.ifindex.odd ?? 0,
  };
}

function configFlags({ dualStack, native, encryption }: ProgramOptions, tunnel: Tunnel | undefined): number {
  const flags = {
    dualStack,
    geneve: tunnel !== undefined && tunnel.device === undefined,
    native,
    encrypt: encryption !== undefined,
    encryptNode: encryption?.node ?? false,
    encryptStrict: encryption?.strict ?? false,
  } satisfies Record<keyof typeof ConfigFlag, boolean>;
  return (Object.keys(flags) as (keyof typeof flags)[]).reduce((sum, name) => sum | (flags[name] ? ConfigFlag[name] : 0), 0);
}

function linkPin({ pinFolder }: ProgramOptions, program: string, device: { name: string }): string {
  return join(pinFolder, `link_${program}_${device.name}`);
}

function attachDecapsulation(options: ProgramOptions, object: BpfObject, device: { index: number; name: string }): XdpMode {
  const pin = linkPin(options, XDP_PROGRAM, device);
  return attachXdp({ programFd: object.program(XDP_PROGRAM), ifindex: device.index, pin });
}

function attachEncryption(options: ProgramOptions, { exempt }: EncryptionOptions, object: BpfObject): BpfObject {
  writeEncryptExemptions(object.map('isth_encrypt_exempt'), exempt);
  const programFd = object.program(EGRESS_PROGRAM);
  for (const device of options.underlay.devices)
    attachEgress({ programFd, ifindex: device.index, pin: linkPin(options, EGRESS_PROGRAM, device) });
  return object;
}

/** Packets leave as they are again, by devices that are not of the underlay any more too. */
function detachEncryption(options: ProgramOptions): void {
  const pins = (): string[] => readdirSync(options.pinFolder).filter((pin) => pin.startsWith(`link_${EGRESS_PROGRAM}_`));
  if (pins().length === 0) return;
  const links = NetlinkSocket.using('route', undefined, (socket) => listLinks(socket));
  for (const device of links) detachEgress({ ifindex: device.index, pin: linkPin(options, EGRESS_PROGRAM, device) });
  // Those of devices that are gone.
  for (const pin of pins()) removePin(join(options.pinFolder, pin));
}

/** Removes links of tunnel devices that are gone, and XDP where a device does the work. */
function detachOthers(pinFolder: string, tunnel: Tunnel | undefined): void {
  const [overlay, xdp] = [`link_${OVERLAY_PROGRAM}_`, `link_${XDP_PROGRAM}_`];
  const device = tunnel?.device;
  const isStale = (pin: string): boolean =>
    tunnel === undefined
      ? pin.startsWith(xdp) || pin.startsWith(overlay)
      : device
        ? pin.startsWith(xdp) || (pin.startsWith(overlay) && pin !== `${overlay}${device.name}`)
        : pin.startsWith(overlay);
  for (const pin of readdirSync(pinFolder)) if (isStale(pin)) removePin(join(pinFolder, pin));
}

/** All objects share the pinned maps, but each holds only those that its programs name. */
function findMap(objects: readonly BpfObject[], name: string): BpfMap {
  let missing: unknown;
  for (const object of objects) {
    try {
      return object.map(name);
    } catch (error) {
      missing = error;
    }
  }
  throw missing;
}

import { join } from 'node:path';
import {
  addressBytesOr0,
  attachIngress,
  attachSocketHooks,
  type BpfMap,
  BpfObject,
  ConfigFlag,
  encodeDatapathConfig,
} from '@isthmus/datapath';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import type { DatapathDevices } from './devices.ts';

/** What the programs are told at load. */
export interface ProgramOptions {
  readonly objectDir: string;
  readonly pinFolder: string;
  readonly cgroup: string;
  readonly gateway: PodAddresses;
  readonly podMtu: number;
  readonly dualStack: boolean;
  /** Indexes and names of the physical devices. */
  readonly underlay: readonly { readonly index: number; readonly name: string }[];
}

/** Programs and maps at work. */
export interface LoadedPrograms {
  readonly podProgram: number;
  map(name: string): BpfMap;
  close(): void;
}

/**
 * Loads all programs over the pinned maps and attaches them, or swaps them in place where an earlier agent attached its own: at no instant is
 * a device without a program. Pods' devices are attached by their sink.
 * @throws CodedError BPF_LOAD, BPF_MAP_LAYOUT, BPF_ATTACH
 */
export function startPrograms(options: ProgramOptions, devices: DatapathDevices): LoadedPrograms {
  const config = encodeDatapathConfig({
    flags: options.dualStack ? ConfigFlag.dualStack : 0,
    tunnelIfindex: devices.vxlan.index,
    tunnelMtu: options.podMtu,
    tunnelPort: 0,
    hostMac: new Uint8Array(6),
    hostIfindex: devices.host.index,
    underlayIpv4: new Uint8Array(4),
    underlayIpv6: new Uint8Array(16),
    gatewayIpv4: addressBytesOr0(options.gateway.ipv4, 4),
    gatewayIpv6: addressBytesOr0(options.gateway.ipv6, 6),
  });
  const load = (name: string): BpfObject =>
    BpfObject.load({ path: join(options.objectDir, `${name}.bpf.o`), config, pinFolder: options.pinFolder });
  const objects = { pod: load('pod'), host: load('host'), netdev: load('netdev'), overlay: load('overlay'), sock: load('sock') };
  const attach = (object: BpfObject, program: string, device: { index: number; name: string }): void => {
    const pin = join(options.pinFolder, `link_${program}_${device.name}`);
    attachIngress({ programFd: object.program(program), ifindex: device.index, pin });
  };
  attach(objects.overlay, 'from_overlay', devices.vxlan);
  attach(objects.host, 'from_host', devices.net);
  for (const device of options.underlay) attach(objects.netdev, 'from_netdev', device);
  attachSocketHooks(options.cgroup, options.pinFolder, (name) => objects.sock.program(name));
  const all = Object.values(objects);
  return {
    podProgram: objects.pod.program('from_pod'),
    map: (name) => findMap(all, name),
    close: () => {
      for (const object of all) object.close();
    },
  };
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import {
  attachEgress,
  attachIngress,
  ConfigFlag,
  EndpointFlag,
  ensureWireguard,
  getLink,
  IpcacheFlag,
  type Link,
  MarkBits,
  NetlinkSocket,
  PeerMode,
  PeerTx,
  ReservedIdentity,
  withNetns,
  writeSysctl,
} from '@isthmus/datapath';
import type { Cleanup } from '../../../bpf/tests/cleanup.ts';
import { Datapath } from '../../../bpf/tests/datapath.ts';
import type { TestNetns } from '../../../bpf/tests/netns.ts';
import { addresses } from '../../../bpf/tests/node.ts';
// Not by the lib's index: it would take an emulated machine seconds to load what certificates need.
import { EpochKeyFolder } from '../../../libs/crypto/src/adapters/epoch-key-folder.ts';
import { systemRandomBytes } from '../../../libs/crypto/src/adapters/random-bytes.ts';
import { type RunProgram, WgTool } from '../../../libs/crypto/src/adapters/wg-tool.ts';
import type { Epoch, WireGuardDevice } from '../../../libs/crypto/src/wireguard/epoch.ts';
import { RotationRunner } from '../../../libs/crypto/src/wireguard/rotation/rotation-runner.ts';
import type { WireGuardRecord } from '../../../libs/crypto/src/wireguard/rotation/wireguard-record.ts';
import { runInside } from './run-inside.ts';

/** The agent's names. */
export const WIREGUARD = { even: 'isth_wg_even', odd: 'isth_wg_odd' } as const satisfies Record<WireGuardDevice, string>;
/** Of VXLAN, whose packets between nodes are encrypted. */
const TUNNEL_PORT = 8472;
const POD_IDENTITY = 2001;
/** Shorter than an agent's: no more than a few packets are under way. */
const DRAIN_MS = 2_000;
const MAX_OVERLAP_MS = 60_000;
const HOST = EndpointFlag.ready | EndpointFlag.host;

/** What nodes tell each other by: a store that is as it is, at once. */
export interface TestStore {
  target: Epoch;
  readonly records: Map<string, WireGuardRecord>;
}

/** What two nodes are made of. */
export interface WireGuardNodeOptions {
  readonly netns: TestNetns;
  /** Pins go here: others that load programs over them share the maps. */
  readonly pinFolder: string;
  readonly store: TestStore;
  readonly cleanup: Cleanup;
  /** What they are sent by each other over at first. */
  readonly family: 4 | 6;
  /** Of the WireGuard devices, at first. */
  readonly mtu: number;
}

/**
 * One of two nodes that encrypt what they send each other: the kernel's WireGuard devices, what decides on their keys, and strict programs at the
 * ingress and the egress of `under`, the device between them.
 */
export class WireGuardNode {
  readonly number: number;
  readonly name: string;
  readonly netns: TestNetns;
  readonly keys: EpochKeyFolder;
  readonly wg: WgTool;
  readonly egress: Datapath;
  readonly ingress: Datapath;
  readonly #options: WireGuardNodeOptions;
  readonly #runner: RotationRunner;
  #family: 4 | 6;
  /** What the map of peers says of the other node. */
  #tx: keyof typeof PeerTx = 'closed';

  /** @param number 1 or 2; the namespace exists and has its device `under` */
  constructor(number: 1 | 2, options: WireGuardNodeOptions) {
    this.#options = options;
    this.#family = options.family;
    this.number = number;
    this.name = nameOf(number);
    this.netns = options.netns;
    const folder = mkdtempSync(join(tmpdir(), 'isthmus-wireguard-'));
    options.cleanup.add(folder, (made) => rmSync(made, { recursive: true }));
    this.keys = new EpochKeyFolder(folder);
    const run: RunProgram = (program, words) => runInside(this.netns.path, program, words);
    this.wg = new WgTool(run);
    const { even, odd } = this.#ensureDevices(options.mtu);
    const config = {
      flags: ConfigFlag.encrypt | ConfigFlag.encryptStrict,
      tunnelPort: TUNNEL_PORT,
      wireguardEvenIfindex: even.index,
      wireguardOddIfindex: odd.index,
    };
    [this.egress, this.ingress] = (['egress', 'netdev'] as const).map((name) =>
      options.cleanup.add(new Datapath(name, config, options.pinFolder), (loaded) => loaded.close()),
    ) as [Datapath, Datapath];
    this.#fillMaps();
    this.#attach();
    this.#addRoutes();
    this.#runner = this.#newRunner();
  }

  /** An address of the other node that is behind its WireGuard devices, as a pod's would be; by family. */
  static addresses(number: number): readonly [ipv4: string, ipv6: string] {
    return [`172.31.${number}.1`, `fd31:${number}::1`];
  }

  get tx(): keyof typeof PeerTx {
    return this.#tx;
  }

  get under(): Link {
    return this.#link('under');
  }

  /** Looks once, and does what follows. */
  async step(): Promise<void> {
    await this.#runner.step();
  }

  /** Sends to the other node by a device from now on, or not at all. */
  sendBy(tx: keyof typeof PeerTx): void {
    this.egress.peer(this.#other, this.#underlay(this.#other), PeerMode.tunnel, PeerTx[tx]);
    this.#tx = tx;
  }

  /** Keys that are installed from now on go with addresses of the family; devices and sessions stay. */
  goOver(family: 4 | 6, mtu: number): void {
    this.#family = family;
    this.#ensureDevices(mtu);
  }

  /** Bytes that the other node was sent by each device. */
  async sent(): Promise<Record<WireGuardDevice, number>> {
    const of = async (device: WireGuardDevice): Promise<number> => (await this.wg.show(WIREGUARD[device]))?.peers[0]?.sent ?? 0;
    return { even: await of('even'), odd: await of('odd') };
  }

  get #other(): number {
    return 3 - this.number;
  }

  #underlay(number: number): string {
    return addresses.underlay(number)[this.#family === 4 ? 0 : 1];
  }

  #ensureDevices(mtu: number): Record<WireGuardDevice, Link> {
    const { netns } = this;
    const ensure = (device: WireGuardDevice): Link => {
      const link = NetlinkSocket.using('route', netns.path, (socket) => ensureWireguard(socket, { name: WIREGUARD[device], mtu }));
      writeSysctl(netns.path, `ipv4/conf/${link.name}/rp_filter`, 0);
      return link;
    };
    return { even: ensure('even'), odd: ensure('odd') };
  }

  #fillMaps(): void {
    const [own, other] = [this.number, this.#other];
    for (const address of [...WireGuardNode.addresses(own), ...addresses.underlay(own)])
      this.egress.endpoint(address, { identity: ReservedIdentity.host, flags: HOST });
    for (const address of WireGuardNode.addresses(other)) this.egress.learn(address, POD_IDENTITY, other);
    const node = IpcacheFlag.remoteNode | IpcacheFlag.tunnelHost;
    for (const address of addresses.underlay(other)) this.egress.learn(address, ReservedIdentity.remoteNode, other, node);
    this.sendBy('closed');
  }

  #attach(): void {
    const { netns, pinFolder } = this.#options;
    const ifindex = this.under.index;
    withNetns(netns.path, () => {
      attachEgress({ programFd: this.egress.object.program('to_netdev'), ifindex, pin: join(pinFolder, 'link_to_netdev') });
      attachIngress({ programFd: this.ingress.object.program('from_netdev'), ifindex, pin: join(pinFolder, 'link_from_netdev') });
    });
  }

  /** As if nothing were encrypted: the packet goes to the device between the nodes, and comes by a program there. */
  #addRoutes(): void {
    const [own, other] = [WireGuardNode.addresses(this.number), WireGuardNode.addresses(this.#other)];
    const via = addresses.underlay(this.#other);
    this.netns.ipBatch([
      `addr add ${own[0]}/32 dev lo`,
      `addr add ${own[1]}/128 dev lo nodad`,
      `route add ${other[0]} via ${via[0]} dev under src ${own[0]}`,
      `route add ${other[1]} via ${via[1]} dev under src ${own[1]}`,
    ]);
  }

  #link(name: string): Link {
    const link = NetlinkSocket.using('route', this.netns.path, (socket) => getLink(socket, name));
    if (link === undefined) throw new Error(`${this.name} has no device ${name}`);
    return link;
  }

  #newRunner(): RotationRunner {
    const { store } = this.#options;
    const other = this.#other;
    const behind = [...WireGuardNode.addresses(other), ...addresses.underlay(other)];
    return new RotationRunner({
      name: this.name,
      times: { drainMs: DRAIN_MS, maxOverlapMs: MAX_OVERLAP_MS },
      clock: systemClock,
      random: systemRandomBytes,
      keys: this.keys,
      wireguard: this.wg,
      devices: WIREGUARD,
      mark: MarkBits.kindEncrypted,
      ensureDevice: async (device) => void this.#link(WIREGUARD[device]),
      target: () => store.target,
      published: () => store.records.get(this.name),
      publish: async (record) => void store.records.set(this.name, record),
      peers: () => [{ name: nameOf(other), record: store.records.get(nameOf(other)), tx: this.#tx }],
      placeOf: () => ({
        address: this.#underlay(other),
        allowedIps: behind.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
      }),
      send: async (_, device) => this.sendBy(device),
      close: async () => this.sendBy('closed'),
    });
  }
}

const nameOf = (number: number): string => `east/n${number}`;

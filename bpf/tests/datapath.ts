import { fileURLToPath } from 'node:url';
import {
  addrKeyOf,
  BpfObject,
  type DatapathConfig,
  type DatapathEvent,
  decodeDatapathEvent,
  decodeMetricValue,
  type EndpointValue,
  encodeAddrKey,
  encodeDatapathConfig,
  encodeEncryptExemptKey,
  encodeEndpointValue,
  encodeIpcacheKey,
  encodeIpcacheValue,
  encodeMeshRangeValue,
  encodeMetricKey,
  encodePeerValue,
  ipcacheKeyOf,
  metricValueLayout,
  PeerTx,
  type PeerValue,
  RingBuffer,
  type TestContext,
  type TestResult,
  testRun,
  testRunXdp,
} from '@isthmus/datapath';
import { address } from './packet.ts';

/** Answers of a tc program. */
export const Verdict = { ok: 0, shot: 2, redirect: 7 } as const;

/** Answers of an XDP program. */
export const XdpVerdict = { drop: 1, pass: 2 } as const;

/** Path of a compiled object. */
export function objectPath(name: string): string {
  return fileURLToPath(new URL(`../build/${name}.bpf.o`, import.meta.url));
}

const noConfig: DatapathConfig = {
  flags: 0,
  tunnelIfindex: 0,
  tunnelMtu: 0,
  tunnelPort: 0,
  hostMac: new Uint8Array(6),
  hostIfindex: 0,
  underlayIpv4: new Uint8Array(4),
  underlayIpv6: new Uint8Array(16),
  gatewayIpv4: new Uint8Array(4),
  gatewayIpv6: new Uint8Array(16),
  wireguardEvenIfindex: 0,
  wireguardOddIfindex: 0,
};

/** A configuration; what is not given is off. */
export function configBytes(config: Partial<DatapathConfig> = {}): Uint8Array {
  return encodeDatapathConfig({ ...noConfig, ...config });
}

/** One loaded object, whose maps are its own unless they are pinned, and short words for what tests do with it. */
export class Datapath {
  readonly object: BpfObject;
  readonly #ring: RingBuffer;

  constructor(name: string, config: Partial<DatapathConfig> = {}, pinFolder?: string) {
    const pinned = pinFolder === undefined ? {} : { pinFolder };
    this.object = BpfObject.load({ path: objectPath(name), config: configBytes(config), ...pinned });
    this.#ring = new RingBuffer(this.object.map('isth_events'));
  }

  endpoint(at: string, value: Partial<EndpointValue>): void {
    const none = { ifindex: 0, identity: 0, id: 0, flags: 0, policyId: 0, generation: 0, rate: 0, class: 0 };
    const row = { ...none, mac: new Uint8Array(6), nodeMac: new Uint8Array(6), ...value };
    this.object.map('isth_endpoints').set(encodeAddrKey(addrKeyOf(address(at))), encodeEndpointValue(row));
  }

  ipcache(prefix: string, length: number, identity: number, peer = 0, flags = 0): void {
    const key = encodeIpcacheKey(ipcacheKeyOf(address(prefix), length));
    this.object.map('isth_ipcache').set(key, encodeIpcacheValue({ identity, peer, flags, cluster: 0 }));
  }

  /** Says whose an address is. */
  learn(at: string, identity: number, peer = 0, flags = 0): void {
    this.ipcache(at, at.includes(':') ? 128 : 32, identity, peer, flags);
  }

  peer(id: number, tunnel: string, mode: PeerValue['mode'], tx: PeerValue['tx'] = PeerTx.closed): void {
    const { family, addr } = addrKeyOf(address(tunnel));
    this.object.map('isth_peers').set(new Uint8Array(Uint32Array.of(id).buffer), encodePeerValue({ family, mode, tx, addr, cluster: 0 }));
  }

  /** A pod CIDR of another node. */
  meshRange(prefix: string, length: number, peer: number): void {
    const key = encodeIpcacheKey(ipcacheKeyOf(address(prefix), length));
    this.object.map('isth_mesh_ranges').set(key, encodeMeshRangeValue({ peer, cluster: 0 }));
  }

  /** A port between nodes that needs no encryption. */
  exempt(protocol: number, port: number): void {
    this.object.map('isth_encrypt_exempt').set(encodeEncryptExemptKey({ protocol, port }), Uint8Array.of(1));
  }

  run(program: string, packet: Uint8Array, context: TestContext = {}): TestResult {
    return testRun(this.object.program(program), packet, context);
  }

  runXdp(program: string, frame: Uint8Array): Omit<TestResult, 'mark'> {
    return testRunXdp(this.object.program(program), frame);
  }

  /** Takes all events that are there. */
  events(): DatapathEvent[] {
    const events: DatapathEvent[] = [];
    this.#ring.drain((record) => events.push(decodeDatapathEvent(record)));
    return events;
  }

  /** Sum over all CPUs. */
  metric(reason: number, direction: number): { packets: number; bytes: number } {
    const values = this.object.map('isth_metrics').lookup(encodeMetricKey({ reason, direction }));
    const sum = { packets: 0, bytes: 0 };
    for (let at = 0; values !== undefined && at < values.length; at += metricValueLayout.size) {
      const { packets, bytes } = decodeMetricValue(values.subarray(at));
      sum.packets += Number(packets);
      sum.bytes += Number(bytes);
    }
    return sum;
  }

  close(): void {
    this.#ring.close();
    this.object.close();
  }
}

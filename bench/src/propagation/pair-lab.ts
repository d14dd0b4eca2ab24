import { seededRandom } from '@isthmus/core';
import type { EtcdKvStore } from '@isthmus/kvstore';
import { ETCD_PORT, Lab, MESH_ETCD_PORT, type NodePlace } from '@isthmus/lab';
import { clientConfig, etcdClient } from '../mesh/etcd-client.ts';
import { stayInNamespace } from '../mesh/stay-in-namespace.ts';
import { GlobalServices, type ServiceChange } from './global-services.ts';
import { lookOften } from './look-often.ts';
import { RelayChain } from './relay-chain.ts';
import { ServiceMap } from './service-map.ts';

const [LAB, TOPOLOGY] = ['bench', 'pair'];
const SERVICES = 100;
const TIMEOUT_MS = 20_000;
const SEED = 1;

/** Two clusters that share services: west serves, the kernel of east's node is looked at. */
export class PairLab {
  readonly lab: Lab;
  readonly services: GlobalServices;
  readonly relays: RelayChain;
  readonly #serving: EtcdKvStore;
  readonly #map: ServiceMap;
  readonly #close: () => void;

  private constructor(parts: Pick<PairLab, 'lab' | 'services' | 'relays'> & { serving: EtcdKvStore; map: ServiceMap; close: () => void }) {
    this.lab = parts.lab;
    this.services = parts.services;
    this.relays = parts.relays;
    this.#serving = parts.serving;
    this.#map = parts.map;
    this.#close = parts.close;
  }

  /** Brings it up, relays included. What an earlier run left is removed first. */
  static async open(progress: (line: string) => void): Promise<PairLab> {
    await Lab.down(LAB);
    const lab = await Lab.up(TOPOLOGY, { name: LAB, progress });
    const [east, west] = [lab.cluster('east'), lab.cluster('west')];
    const leave = stayInNamespace(east.control.netns);
    const [serving, asking, last] = [etcdClient(west, ETCD_PORT), etcdClient(east, ETCD_PORT), etcdClient(east, MESH_ETCD_PORT)];
    const configs = [clientConfig(west, ETCD_PORT), clientConfig(west, MESH_ETCD_PORT), clientConfig(east, MESH_ETCD_PORT)];
    const map = new ServiceMap(east.nodes[0] as NodePlace);
    const close = (): void => {
      for (const each of [serving, asking, last, map]) each.close();
      leave();
    };
    const relays = await RelayChain.start({ first: serving, last, configs });
    const services = await GlobalServices.make(serving, asking, SERVICES, seededRandom(SEED));
    const opened = new PairLab({ lab, services, relays, serving, map, close });
    for (const change of services.initial()) await opened.change(change);
    progress(`${SERVICES} services and a chain of relays are ready`);
    return opened;
  }

  /** Removes everything, also what was opened half way. */
  static async remove(opened: PairLab | undefined): Promise<void> {
    if (opened) {
      await opened.relays.stop();
      opened.#close();
    }
    await Lab.down(LAB);
  }

  /** Makes a change. Answers the milliseconds from its acknowledgement until east's kernel has it. @throws CodedError BENCH_NOT_ARRIVED */
  async change({ key, value, frontend, backends }: ServiceChange): Promise<number> {
    await this.#serving.put(key, value);
    const acknowledged = performance.now();
    return lookOften(() => this.#map.holds(frontend, backends), key, TIMEOUT_MS) - acknowledged;
  }
}

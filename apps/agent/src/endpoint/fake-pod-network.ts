import { CodedError } from '@isthmus/core';
import { NETNS_MISSING } from '@isthmus/datapath';
import type { PodNetworkDriver } from './endpoint-ports.ts';
import { hostInterfaceName, type PodDevice, type PodNetwork } from './pod-network.ts';

/** Pods' devices without a kernel: for tests. */
export class FakePodNetwork implements PodNetworkDriver {
  readonly devices = new Map<string, { index: number; network: PodNetwork }>();
  /** Thrown by the next calls of `create` and `remove` while set. */
  createFails: unknown;
  removeFails: unknown;
  /** Namespaces that have been removed. */
  readonly gone = new Set<string>();
  #index = 100;

  create(network: PodNetwork): PodDevice {
    const interfaceName = hostInterfaceName(network.containerId, network.podInterface);
    const index = this.devices.get(interfaceName)?.index ?? this.#index++;
    // As the kernel: what was made before the failure stays.
    this.devices.set(interfaceName, { index, network });
    if (this.createFails) throw this.createFails;
    return { interfaceName, ifindex: index, mac: '0a:00:00:00:00:01', hostMac: '0e:00:00:00:00:01' };
  }

  remove(interfaceName: string): void {
    if (this.removeFails) throw this.removeFails;
    this.devices.delete(interfaceName);
  }

  find(interfaceName: string): { index: number } | undefined {
    return this.devices.get(interfaceName);
  }

  inspect(): never {
    throw new Error('there is no kernel to look into');
  }

  visit(netns: string): void {
    if (this.gone.has(netns)) throw new CodedError(NETNS_MISSING, `${netns} is gone`, { object: netns });
  }
}

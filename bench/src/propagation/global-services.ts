import { randomUUID } from 'node:crypto';
import { type Random, systemClock, systemRandom } from '@isthmus/core';
import { type EtcdKvStore, KvResources } from '@isthmus/kvstore';
import { waitUntil } from '@isthmus/lab';
import { apiVersionOf, ENDPOINT_SLICE, type EndpointSlice, l4Key, objectKey, POD, type Pod, SERVICE, type Service } from '@isthmus/model';

const [PORT, TARGET_PORT] = [80, 8080];
const IP_TIMEOUT_MS = 30_000;
/** The service whose slices the operator makes of pods. */
const OF_PODS = 'pods';
const POD_LABELS = { app: 'bench' };

/** A change that a cluster's etcd is told of, and what another cluster's kernel must hold then. */
export interface ServiceChange {
  readonly key: string;
  readonly value: string;
  readonly frontend: string;
  readonly backends: readonly string[];
}

/** Services that two clusters share; one of them serves, by slices that the benchmark writes and by pods. */
export class GlobalServices {
  readonly #frontends: ReadonlyMap<string, string>;
  readonly #random: Random;
  /** Whether the second backend of each is there. */
  readonly #second = new Map<string, boolean>();

  private constructor(frontends: ReadonlyMap<string, string>, random: Random) {
    this.#frontends = frontends;
    this.#random = random;
  }

  /** Makes so many services in both clusters, all with one backend in the serving one, and waits until clients have addresses for them. */
  static async make(serving: EtcdKvStore, asking: EtcdKvStore, count: number, random: Random): Promise<GlobalServices> {
    const names = [...Array.from({ length: count }, (_, index) => `s${index}`), OF_PODS];
    const frontends = new Map<string, string>();
    for (const name of names) {
      await resources(serving).apply(SERVICE, service(name));
      const theirs = resources(asking);
      await theirs.apply(SERVICE, service(name, false));
      frontends.set(name, l4Key('TCP', await clusterIp(() => theirs.get<Service>(SERVICE, name, 'default')), PORT));
    }
    return new GlobalServices(frontends, random);
  }

  /** The state from which changes start: every service has its first backend only. */
  initial(): ServiceChange[] {
    const names = [...this.#frontends.keys()].filter((name) => name !== OF_PODS);
    return [...names.map((name) => this.#slice(name, false)), this.#pod(0, true), this.#pod(1, false)];
  }

  /** Adds or takes away the second backend of one service, whichever it has not had last. */
  nextSlice(): ServiceChange {
    const index = Math.floor(this.#random() * (this.#frontends.size - 1));
    const name = `s${index}`;
    const second = !this.#second.get(name);
    this.#second.set(name, second);
    return this.#slice(name, second);
  }

  /** Makes the second pod ready, or unready. */
  nextPod(): ServiceChange {
    const ready = !this.#second.get(OF_PODS);
    this.#second.set(OF_PODS, ready);
    return this.#pod(1, ready);
  }

  #slice(name: string, second: boolean): ServiceChange {
    const addresses = addressesOf(Number(name.slice(1)), second);
    const object: EndpointSlice = {
      apiVersion: apiVersionOf(ENDPOINT_SLICE),
      kind: ENDPOINT_SLICE.kind,
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
      ports: [{ name: 'tcp', protocol: 'TCP', port: TARGET_PORT }],
    };
    return { key: objectKey(ENDPOINT_SLICE, name, 'default'), value: JSON.stringify(object), ...this.#expected(name, addresses) };
  }

  /** @param index of the pod; the first one is always ready */
  #pod(index: number, ready: boolean): ServiceChange {
    const name = `bench-${index}`;
    const object: Pod = {
      apiVersion: apiVersionOf(POD),
      kind: POD.kind,
      metadata: { name, namespace: 'default', uid: name, labels: POD_LABELS },
      spec: { nodeName: 'elsewhere' },
      status: { phase: 'Running', podIPs: [{ ip: podIp(index) }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    };
    const addresses = ready && index === 1 ? [podIp(0), podIp(1)] : [podIp(0)];
    return { key: objectKey(POD, name, 'default'), value: JSON.stringify(object), ...this.#expected(OF_PODS, addresses) };
  }

  #expected(name: string, addresses: readonly string[]): Pick<ServiceChange, 'frontend' | 'backends'> {
    const backends = addresses.map((address) => l4Key('TCP', address, TARGET_PORT));
    return { frontend: this.#frontends.get(name) as string, backends };
  }
}

function resources(kv: EtcdKvStore): KvResources {
  return new KvResources({ kv, clock: systemClock, random: systemRandom, newUid: randomUUID });
}

/** @param serving it has backends here: its slices come from pods where it is the one of pods, from the benchmark otherwise */
function service(name: string, serving = true): Service {
  return {
    apiVersion: apiVersionOf(SERVICE),
    kind: SERVICE.kind,
    metadata: { name, namespace: 'default', annotations: { 'service.cilium.io/global': 'true' } },
    spec: {
      ipFamilyPolicy: 'SingleStack',
      ...(serving && name === OF_PODS ? { selector: POD_LABELS } : {}),
      ports: [{ name: 'tcp', protocol: 'TCP', port: PORT, targetPort: TARGET_PORT }],
    },
  };
}

async function clusterIp(read: () => Promise<Service | undefined>): Promise<string> {
  const given = async (): Promise<string | undefined> => (await read())?.spec.clusterIP || undefined;
  return waitUntil(given, { what: 'the operator to give a service an address', timeoutMs: IP_TIMEOUT_MS });
}

function addressesOf(index: number, second: boolean): string[] {
  return [`10.2.200.${index + 1}`, ...(second ? [`10.2.201.${index + 1}`] : [])];
}

function podIp(index: number): string {
  return `10.2.202.${index + 1}`;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdPool, ManualClock, Store } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import { PodCidrIpam } from '../node/node-ipam.ts';
import { StateFolder } from '../state/state-folder.ts';
import { EndpointFiles } from './endpoint-files.ts';
import { type Attachment, type EndpointDependencies, type EndpointRequest, EndpointService } from './endpoint-service.ts';
import { FakePodNetwork } from './fake-pod-network.ts';

/** A state directory that is gone with the fixture. */
export function temporaryState(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'isthmus-state-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** An endpoint service whose etcd and kernel are made of promises that tests hold; addresses, numbers, files and tables are real. For tests. */
export function endpointFixture(stateDir: string, changes: Partial<EndpointDependencies> = {}, network = new FakePodNetwork()) {
  const clock = new ManualClock();
  const store = new Store(clock);
  const endpoints = store.table<EndpointRow>('endpoints');
  const ipam = new PodCidrIpam(clock, 30_000);
  ipam.setCidrs(['10.1.0.0/29', 'fd00:1::/64']);
  const leftovers: Attachment[] = [];
  const dependencies: EndpointDependencies = {
    store,
    endpoints,
    ids: new IdPool({ name: 'endpoints', min: 1, max: 100, graceMs: 60_000 }, clock),
    files: new EndpointFiles(new StateFolder(stateDir)),
    ipam,
    network,
    node: { gateway: () => ({ ipv4: '10.1.0.1', ipv6: 'fd00:1::1' }), podMtu: 1450 },
    identities: { allocate: async () => 65_800 },
    labelsOf: async (_namespace, pod) => `k8s:app=${pod};`,
    settled: async () => undefined,
    onLeftover: (attachment) => leftovers.push(attachment),
    ...changes,
  };
  const service = new EndpointService(dependencies);
  const request = (containerId: string, pod = 'web'): EndpointRequest => ({
    network: 'isthmus',
    containerId,
    podInterface: 'eth0',
    netns: `/run/netns/${containerId}`,
    namespace: 'shop',
    pod,
    podUid: '',
  });
  const broken: string[] = [];
  const saved = (): EndpointRow[] =>
    new EndpointFiles(new StateFolder(stateDir)).load((file) => broken.push(file)).sort((a, b) => a.id - b.id);
  return { clock, store, endpoints: endpoints.table, ipam, network, service, dependencies, request, saved, broken, leftovers };
}

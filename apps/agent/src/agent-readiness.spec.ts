import { CodedError, LOCAL_SCOPE, ManualClock, SinkGroup } from '@isthmus/core';
import type { RemoteStatus } from '@isthmus/mesh';
import { type ReadinessInputs, readinessOf } from './agent-readiness.ts';
import { STATE_NOT_SAVED } from './state/state-folder.ts';
import { ownTables } from './tables/own-node-fixture.ts';

function inputs(changes: Partial<ReadinessInputs> = {}): ReadinessInputs {
  const clock = new ManualClock();
  const tables = ownTables(clock);
  const sinks = new SinkGroup(
    tables.store,
    clock,
    () => 0.5,
    async () => undefined,
  );
  return { defect: undefined, podCidrsKnown: true, tables, sinks, remotes: [], remotesListed: true, meshWaitOver: false, ...changes };
}

function synced(changes: Partial<ReadinessInputs> = {}): ReadinessInputs {
  const made = inputs(changes);
  const { localNodes, localIdentities, localIps, services, localBackends } = made.tables.sources;
  for (const writer of [localNodes, localIdentities, localIps, services, localBackends]) writer.synced(LOCAL_SCOPE);
  return made;
}

const remote = (cluster: string, ready: boolean) => ({ cluster, ready }) as RemoteStatus;

describe('readinessOf', () => {
  it('names the first thing that is missing', () => {
    expect(readinessOf(inputs({ podCidrsKnown: false }))).toContain('pod CIDRs');
    expect(readinessOf(inputs({ podCidrsKnown: false, clusterEtcdConnected: false }))).toContain('the cluster etcd');
    expect(readinessOf(inputs({ podCidrsKnown: false, podCidrsRefusal: 'IPAM_CLUSTER_EXHAUSTED: full' }))).toContain(
      'says IPAM_CLUSTER_EXHAUSTED: full',
    );
    expect(readinessOf(inputs({ sinks: undefined }))).toContain('datapath');
    expect(readinessOf(inputs())).toBe('the nodes of its cluster from etcd');
    const half = inputs();
    half.tables.sources.localNodes.synced(LOCAL_SCOPE);
    expect(readinessOf(half)).toBe('the identities of its cluster from etcd');
    expect(readinessOf(synced())).toBeUndefined();
  });

  it('waits for remote clusters, also while it is not known which there are, but not for ever', () => {
    expect(readinessOf(synced({ remotesListed: false }))).toContain('list of remote clusters');
    expect(readinessOf(synced({ remotes: [remote('west', true), remote('north', false)] }))).toBe('cluster north');
    expect(readinessOf(synced({ remotes: [remote('north', false)], meshWaitOver: true }))).toBeUndefined();
    expect(readinessOf(synced({ remotesListed: false, meshWaitOver: true }))).toBeUndefined();
  });

  it('is not ready while what must survive a restart cannot be written', () => {
    const stateProblem = new CodedError(STATE_NOT_SAVED, '/state/1.json cannot be written: ENOSPC', { object: '/state' });
    expect(readinessOf(synced({ stateProblem }))).toBe(
      'a state folder that it can write to (STATE_NOT_SAVED: /state/1.json cannot be written: ENOSPC)',
    );
  });

  it('is not ready when a part of the agent has ended', () => {
    expect(readinessOf(synced({ defect: 'a restart: a source ended' }))).toContain('a source ended');
  });
});

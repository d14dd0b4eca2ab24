import { ManualClock, Store } from '@isthmus/core';
import type { EndpointRow, IdentityRow } from '@isthmus/model';
import { NodeIdentities } from './node-identities.ts';

function fixture() {
  const store = new Store(new ManualClock());
  const endpoints = store.table<EndpointRow>('endpoints');
  const identities = store.table<IdentityRow>('identities');
  const asked: string[] = [];
  const allocator = {
    allocate: async (labels: string) => {
      asked.push(labels);
      return 65_900;
    },
  };
  const put = (labels: string, identity: number) => endpoints.put('1', { id: 1, labels, identity } as EndpointRow);
  const know = (id: number, labels: string) => identities.put(String(id), { id, cluster: 'east', labels });
  return { asked, put, know, endpoints, identities: new NodeIdentities(endpoints.table, identities.table, allocator) };
}

describe('NodeIdentities', () => {
  it('shares the number of a pod of this node', async () => {
    const { identities, put, know, asked, endpoints } = fixture();
    put('a', 65_800);
    know(65_800, 'a');
    expect([await identities.allocate('a'), asked]).toEqual([65_800, []]);
    endpoints.delete('1');
    expect([await identities.allocate('a'), asked]).toEqual([65_900, ['a']]);
  });

  it('asks for all others, and when the number is not known to stand for the labels', async () => {
    const { identities, put, know, asked } = fixture();
    put('a', 0);
    await identities.allocate('a');
    put('a', 65_800);
    await identities.allocate('a');
    know(65_800, 'b');
    await identities.allocate('a');
    await identities.allocate('b');
    expect(asked).toEqual(['a', 'a', 'a', 'b']);
  });
});

import { CodedError, ManualClock } from '@isthmus/core';
import { certificateFacts, newKeyAndRequest } from '@isthmus/crypto';
import { NodeService } from './node.service.ts';
import type { Principal } from './principal.ts';
import { type MemoryCluster, memoryCluster } from './testing/memory-ports.ts';

let west: MemoryCluster;
let nodes: NodeService;
let csr: string;

beforeEach(async () => {
  west = await memoryCluster('west', 1, new ManualClock());
  nodes = new NodeService(west.ports);
  csr = (await newKeyAndRequest({ commonName: 'root' })).csrPem;
});

async function token(subject?: string): Promise<Principal> {
  const { record } = await west.ports.tokens.issue({ kind: 'node', ...(subject === undefined ? {} : { subject }) });
  return { kind: 'token', id: record.id, tokenKind: 'node', subject, expires: record.expires };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('NodeService', () => {
  it('signs for both etcds under the names that the cluster decides', async () => {
    const answer = await nodes.issue(await token(), { name: 'n1', csr });
    expect(certificateFacts(answer.certificate)).toMatchObject({ cn: 'agent-n1', sans: { uris: ['spiffe://west/node/n1'] } });
    expect(certificateFacts(answer.meshCertificate)).toMatchObject({ cn: 'local-west', sans: { uris: [] } });
    expect(answer.clusterEtcd.endpoints).toEqual(west.facts.clusterEtcdEndpoints);
    expect(answer.meshEtcd.endpoints).toEqual(west.facts.endpoints);
    expect([...west.users.names]).toEqual(['agent-n1']);
  });

  it('lets a node renew its own certificates and no other’s', async () => {
    const n1: Principal = { kind: 'node', name: 'n1', certificate: certificateFacts(west.ca.certPem) };
    await nodes.issue(n1, { name: 'n1', csr });
    expect(await codeOf(nodes.issue(n1, { name: 'n2', csr }))).toBe('JOIN_FORBIDDEN');
  });

  it('gives an existing node’s name only to a token that names it', async () => {
    await nodes.issue(await token(), { name: 'n1', csr });
    expect(await codeOf(nodes.issue(await token(), { name: 'n1', csr }))).toBe('JOIN_NODE_NAME_TAKEN');
    expect(await codeOf(nodes.issue(await token('n2'), { name: 'n1', csr }))).toBe('TOKEN_KIND');
    expect(await codeOf(nodes.issue(await token('n1'), { name: 'n1', csr }))).toBe('no error');
  });

  it('uses a token once, and not for a bad request', async () => {
    const once = await token();
    expect(await codeOf(nodes.issue(once, { name: 'n1', csr: 'x' }))).toBe('REQUEST_INVALID');
    expect(west.users.names.size).toBe(0);
    await nodes.issue(once, { name: 'n1', csr });
    expect(await codeOf(nodes.issue(once, { name: 'n2', csr }))).toBe('TOKEN_USED');
  });
});

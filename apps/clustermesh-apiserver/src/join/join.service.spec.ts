import { CodedError, ManualClock } from '@isthmus/core';
import { type Accepted, type ClusterOffer, certificateFacts, createClusterCa, keyBelongsTo, newKeyAndRequest } from '@isthmus/crypto';
import { JoinService } from './join.service.ts';
import { JOIN_SESSION_MS } from './join-sessions.ts';
import type { Principal } from './principal.ts';
import { type MemoryCluster, memoryCluster } from './testing/memory-ports.ts';

let clock: ManualClock;
let west: MemoryCluster;
let east: MemoryCluster;
let a: JoinService;
let b: JoinService;

const atWest: Principal = { kind: 'admin', name: 'admin-west' };
const atEast: Principal = { kind: 'admin', name: 'admin-east' };

beforeEach(async () => {
  clock = new ManualClock();
  west = await memoryCluster('west', 1, clock);
  east = await memoryCluster('east', 2, clock);
  a = new JoinService(west.ports);
  b = new JoinService(east.ports);
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
}

async function upToAccept(): Promise<Accepted> {
  return await b.accept(atEast, await a.offer(atWest, 'east'));
}

async function join(): Promise<void> {
  const accepted = await upToAccept();
  const { certificate } = await a.confirm(atWest, accepted.offer, accepted.certificate);
  await b.complete(atEast, 'west', { session: accepted.session, certificate });
}

/** An offer of a third cluster, made by its own service. */
async function offerOf(name: string, id: number, change: (cluster: MemoryCluster) => void = () => undefined): Promise<ClusterOffer> {
  const cluster = await memoryCluster(name, id, clock);
  change(cluster);
  return await new JoinService(cluster.ports).offer({ kind: 'admin', name: `admin-${name}` }, 'anyone');
}

async function tokenAt(cluster: MemoryCluster, subject?: string): Promise<Principal> {
  const { record } = await cluster.ports.tokens.issue({ kind: 'cluster', ...(subject === undefined ? {} : { subject }) });
  return { kind: 'token', id: record.id, tokenKind: 'cluster', subject, expires: record.expires };
}

describe('clusters that encrypt', () => {
  it.each<[number | undefined, number | undefined, (number | undefined)[], string[]]>([
    [8, 42, [42, 42], ['42 for east by admin-west']],
    [42, 8, [42, 42], ['42 for west by admin-east']],
    [8, 8, [8, 8], []],
    [1, 65_537, [65_537, 65_537], ['65537 for east by admin-west']],
    [8, undefined, [8, undefined], []],
  ])('at %s and %s are brought to where the further one is, on its own side each', async (one, other, together, met) => {
    [west.target.epoch, east.target.epoch] = [one, other];
    await join();
    expect([west.target.epoch, east.target.epoch]).toEqual(together);
    expect([...west.target.met, ...east.target.met]).toEqual(met);
  });

  it('too far apart do not join: the one that would be led refuses, and nothing is changed', async () => {
    [west.target.epoch, east.target.epoch] = [1, 65_538];
    expect(await codeOf(join())).toBe('JOIN_WIREGUARD_TARGET');
    [west.target.epoch, east.target.epoch] = [65_538, 1];
    expect(await codeOf(join())).toBe('JOIN_WIREGUARD_TARGET');
    expect([west.target.met, east.target.met, west.remotes.entries.size, east.remotes.entries.size]).toEqual([[], [], 0, 0]);
  });

  it('meet again when they are joined anew', async () => {
    [west.target.epoch, east.target.epoch] = [8, 8];
    await join();
    east.target.epoch = 20;
    await join();
    expect(west.target.epoch).toBe(20);
  });
});

describe('joining', () => {
  it('gives each side a certificate that the other signed, for a key that never left', async () => {
    await join();
    for (const [here, there] of [
      [west, east],
      [east, west],
    ] as const) {
      const { remote, credential } = here.remotes.entries.get(there.facts.name)!;
      const facts = certificateFacts(credential.certPem);
      expect(facts.cn).toBe(`remote-${here.facts.name}`);
      expect(facts.issuer).toBe(`isthmus-ca-${there.facts.name}`);
      expect(keyBelongsTo(credential.certPem, credential.keyPem)).toBe(true);
      expect(remote).toMatchObject({ id: there.facts.id, endpoints: there.facts.endpoints, caBundle: there.ca.certPem });
      expect([...here.users.names]).toEqual([`remote-${there.facts.name}`]);
    }
  });

  it('writes nothing before the third call, and at the second cluster nothing before the last', async () => {
    const accepted = await upToAccept();
    expect([west.remotes.entries.size, west.users.names.size, east.remotes.entries.size, east.users.names.size]).toEqual([0, 0, 0, 0]);
    await a.confirm(atWest, accepted.offer, accepted.certificate);
    expect([west.remotes.entries.size, east.remotes.entries.size, east.users.names.size]).toEqual([1, 0, 0]);
  });

  it('leaves nothing of a join that is not finished in time', async () => {
    const accepted = await upToAccept();
    expect([a.pending, b.pending]).toEqual([1, 1]);
    clock.advance(JOIN_SESSION_MS);
    expect([a.pending, b.pending]).toEqual([0, 0]);
    expect(await codeOf(a.confirm(atWest, accepted.offer, accepted.certificate))).toBe('JOIN_SESSION_UNKNOWN');
    expect(west.remotes.entries.size + east.remotes.entries.size).toBe(0);
  });

  it('may be repeated: a connected cluster is renewed', async () => {
    await join();
    const before = west.remotes.entries.get('east')!.credential.certPem;
    east.facts.endpoints = ['https://192.0.2.99:2379'];
    await join();
    const { remote, credential } = west.remotes.entries.get('east')!;
    expect(remote.endpoints).toEqual(['https://192.0.2.99:2379']);
    expect(credential.certPem).not.toBe(before);
  });

  it('takes back what it began when the configuration cannot be written', async () => {
    const accepted = await upToAccept();
    west.remotes.failWrite = true;
    await expect(a.confirm(atWest, accepted.offer, accepted.certificate)).rejects.toThrow('disk full');
    expect([west.remotes.entries.size, west.users.names.size]).toEqual([0, 0]);
    // Tried again, the same join goes through.
    await a.confirm(atWest, accepted.offer, accepted.certificate);
    expect(west.remotes.entries.size).toBe(1);
  });

  it('belongs to whoever began it', async () => {
    const accepted = await upToAccept();
    const stranger = await tokenAt(west);
    expect(await codeOf(a.confirm(stranger, accepted.offer, accepted.certificate))).toBe('JOIN_SESSION_UNKNOWN');
    const { certificate } = await a.confirm(atWest, accepted.offer, accepted.certificate);
    expect(await codeOf(b.complete(atEast, 'west', { session: 'guess', certificate }))).toBe('JOIN_SESSION_UNKNOWN');
    expect(await codeOf(b.complete({ kind: 'admin', name: 'x' }, 'west', { session: accepted.session, certificate }))).toBe(
      'JOIN_SESSION_UNKNOWN',
    );
    expect(east.remotes.entries.size).toBe(0);
  });
});

describe('what cannot join', () => {
  const refused = async (offer: ClusterOffer): Promise<string> => await codeOf(a.accept(atWest, offer));

  it('is told apart by its code', async () => {
    await join();
    expect(await refused(await offerOf('west', 9))).toBe('JOIN_OWN_NAME');
    expect(await refused(await offerOf('north', 1))).toBe('JOIN_ID_TAKEN');
    expect(await refused(await offerOf('north', 2))).toBe('JOIN_ID_TAKEN');
    expect(await refused(await offerOf('east', 3))).toBe('JOIN_NAME_TAKEN');
    expect(await refused(await offerOf('east', 2))).toBe('JOIN_NAME_TAKEN');
    expect(await refused(await offerOf('north', 300))).toBe('JOIN_ID_RANGE');
    expect(await refused(await offerOf('north', 3, (c) => Object.assign(c.facts, { maxConnectedClusters: 511 })))).toBe('JOIN_MESH_SIZE');
    expect(await refused(await offerOf('north', 3, (c) => Object.assign(c.facts, { tunnelProtocol: 'geneve' })))).toBe(
      'JOIN_TUNNEL_PROTOCOL',
    );
    expect(await refused(await offerOf('north', 3, (c) => Object.assign(c.facts, { tunnelProtocol: undefined })))).toBe('no error');
    expect(await refused(await offerOf('north', 3))).toBe('no error');
  });

  it('is a cluster whose pods could have our addresses, or those of a cluster that we know', async () => {
    await join();
    const overlapping = async (podCIDRs: string[]): Promise<unknown> => {
      const offer = await offerOf('north', 3, (c) => Object.assign(c.facts, { podCIDRs }));
      return await a.accept(atWest, offer).catch((error: unknown) => error);
    };
    expect(await overlapping(['10.1.4.0/24'])).toMatchObject({
      code: 'JOIN_POD_CIDRS_OVERLAP',
      object: 'north',
      message: 'pod network 10.1.0.0/16 of west overlaps 10.1.4.0/24 of north',
    });
    expect(await overlapping(['fd00:2::/48'])).toMatchObject({
      message: 'pod network fd00:2::/64 of east overlaps fd00:2::/48 of north',
    });
    expect(await overlapping(['ten'])).toMatchObject({ code: 'JOIN_REQUEST_INVALID' });
  });

  it('is a cluster with a broken request, bundle or answer', async () => {
    const good = await a.offer(atWest, 'east');
    const { csrPem, keyPem } = await newKeyAndRequest({ commonName: 'x' });
    expect(await codeOf(b.accept(atEast, { ...good, csr: '-----BEGIN CERTIFICATE REQUEST-----' }))).toBe('REQUEST_INVALID');
    expect(await codeOf(b.accept(atEast, { ...good, caBundle: keyPem }))).toBe('CA_BUNDLE_INVALID');
    const accepted = await b.accept(atEast, good);
    const other = await b.accept(atEast, { ...good, csr: csrPem });
    expect(await codeOf(a.confirm(atWest, accepted.offer, other.certificate))).toBe('CERTIFICATE_KEY_MISMATCH');
    const foreign = await createClusterCa({ cluster: 'east', clock });
    expect(await codeOf(a.confirm(atWest, { ...accepted.offer, caBundle: foreign.certPem }, accepted.certificate))).toBe(
      'CERTIFICATE_WRONG_CA',
    );
    expect(await codeOf(a.offer(atWest, 'west'))).toBe('JOIN_OWN_NAME');
    expect(west.remotes.entries.size).toBe(0);
  });

  it('is checked again at the last call: another cluster may have come in between', async () => {
    const accepted = await upToAccept();
    const { certificate } = await a.confirm(atWest, accepted.offer, accepted.certificate);
    await east.remotes.write({ ...(await offerOf('rival', 1)) }, { certPem: '', keyPem: '' });
    expect(await codeOf(b.complete(atEast, 'west', { session: accepted.session, certificate }))).toBe('JOIN_ID_TAKEN');
    expect(east.users.names.size).toBe(0);
  });
});

describe('a token', () => {
  it('is good for one join, its repetition and its undoing', async () => {
    const token = await tokenAt(west);
    await a.offer(token, 'east');
    const accepted = await b.accept(atEast, await a.offer(token, 'east'));
    await a.confirm(token, accepted.offer, accepted.certificate);
    expect(await codeOf(a.offer(token, 'north'))).toBe('TOKEN_USED');
    // The join is done: its token begins no second one, under the same name neither.
    expect(await codeOf(a.offer(token, 'east'))).toBe('TOKEN_USED');
    expect(await a.disconnect(token, 'east')).toEqual({ name: 'east', connected: false });
    expect(await codeOf(a.disconnect(token, 'east'))).toBe('JOIN_FORBIDDEN');
    expect(await codeOf(a.offer(token, 'east'))).toBe('TOKEN_USED');
  });

  it('is used up at the second cluster, too, once the join is done', async () => {
    const token = await tokenAt(east);
    const accepted = await b.accept(token, await a.offer(atWest, 'east'));
    await b.accept(token, await a.offer(atWest, 'east'));
    expect(await codeOf(b.complete(token, 'west', { session: accepted.session, certificate: '' }))).toBe('JOIN_SESSION_UNKNOWN');
    const again = await b.accept(token, await a.offer(atWest, 'east'));
    const { certificate } = await a.confirm(atWest, again.offer, again.certificate);
    await b.complete(token, 'west', { session: again.session, certificate });
    expect(await codeOf(b.accept(token, await a.offer(atWest, 'east')))).toBe('TOKEN_USED');
  });

  it('is not used up by a refusal', async () => {
    const token = await tokenAt(west, 'north');
    expect(await codeOf(a.accept(token, await offerOf('north', 1)))).toBe('JOIN_ID_TAKEN');
    await a.accept(token, await offerOf('north', 3));
  });

  it('is for its subject and its kind', async () => {
    const named = await tokenAt(west, 'north');
    expect(await codeOf(a.offer(named, 'east'))).toBe('TOKEN_KIND');
    const { record } = await west.ports.tokens.issue({ kind: 'node' });
    const forNode: Principal = { kind: 'token', id: record.id, tokenKind: 'node', subject: undefined, expires: record.expires };
    expect(await codeOf(a.offer(forNode, 'east'))).toBe('TOKEN_KIND');
    expect(await codeOf(a.offer({ kind: 'node', name: 'n1', certificate: certificateFacts(west.ca.certPem) }, 'east'))).toBe(
      'JOIN_FORBIDDEN',
    );
  });
});

/** Serial of the certificate that west gave to a cluster. */
function serialAt(cluster: MemoryCluster): string {
  return certificateFacts(cluster.remotes.entries.get('west')!.credential.certPem).serial;
}

describe('revoking', () => {
  it('takes user and certificates away and keeps the rest; connecting anew brings other ones', async () => {
    await join();
    const first = serialAt(east);
    expect(await a.revoke('east')).toEqual({ name: 'east', certificates: 1, connectionsEnded: 3 });
    expect([...west.remotes.entries.keys()]).toEqual(['east']);
    expect([...west.users.names]).toEqual([]);
    expect(west.revoked).toEqual([first]);
    expect(await a.revoke('east')).toMatchObject({ certificates: 0 });
    await join();
    expect([...west.users.names]).toEqual(['remote-east']);
    expect(serialAt(east)).not.toBe(first);
    expect(west.revoked).toEqual([first]);
    expect(await codeOf(a.revoke('north'))).toBe('JOIN_NOT_CONNECTED');
  });
});

describe('disconnecting', () => {
  it('removes configuration and user of that cluster only', async () => {
    await join();
    await west.remotes.write({ ...(await offerOf('north', 3)) }, { certPem: '', keyPem: '' });
    await west.users.ensureRemoteUser('north');
    expect(await a.disconnect(atWest, 'east')).toEqual({ name: 'east', connected: false });
    expect([...west.remotes.entries.keys()]).toEqual(['north']);
    expect([...west.users.names]).toEqual(['remote-north']);
    expect(await codeOf(a.disconnect(atWest, 'east'))).toBe('JOIN_NOT_CONNECTED');
    // Connected again, east has another certificate: what it had before opens nothing.
    expect(west.revoked).toEqual([serialAt(east)]);
  });

  it('is for admins', async () => {
    await join();
    expect(await codeOf(a.disconnect(await tokenAt(west), 'east'))).toBe('JOIN_FORBIDDEN');
  });
});

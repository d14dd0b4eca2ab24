import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClusterPlan, clusterFiles, controlUrls, Lab, leftovers, type Place, parseTopology, waitUntil } from '@isthmus/lab';
import { cacheLayout, decodeRecord, encodeClusterConfig } from '@isthmus/mesh';
import { isthmus } from '../e2e/errors/error-lab.ts';
import { CiliumProgram, type CiliumReport } from './cilium-program.ts';
import { CILIUM, CILIUM_KINDS, CILIUM_RECORDS, type CiliumKind } from './cilium-records.ts';

// Cilium's own code as the judge of the wire: its readers over a mesh etcd of ours, reached as a peer's agents would reach it; and its writers
// into an etcd that a real apiserver mirrors and real agents follow.

const NAME = 'interop';
const MINUTE_MS = 60_000;
const CILIUM_PORT = 2679;
const DAEMONS = fileURLToPath(new URL('../../.toolchain/daemons/usr/bin', import.meta.url));
const SHOP = readFileSync(new URL('shop.yaml', import.meta.url), 'utf8');
const TOPOLOGY = parseTopology(
  `
manifests: [services.yaml]
clusters:
  - name: east
    id: 1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/16, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    nodes: [{ name: n1, pods: [{ name: a1, labels: { app: server, "example.org/note": "", tier: a_b.c-d } }, a2] }]
  - name: west
    id: 2
    underlay: { ipv4: 172.21.2.0/24, ipv6: "fd21:2::/64" }
    pods: { ipv4: 10.2.0.0/16, ipv6: "fd10:2::/104" }
    services: { ipv4: 10.102.0.0/16, ipv6: "fd10:102::/112" }
    nodes: [{ name: n1, pods: [a1] }]
`,
  'the topology of the interop tests',
);

/** A row of an agent's table. */
type Row = Readonly<Record<string, unknown>>;

let lab: Lab;
let program: CiliumProgram;

beforeAll(async () => {
  await Lab.down(NAME);
  program = await CiliumProgram.build();
  lab = await Lab.up(TOPOLOGY, { name: NAME });
  expect(await isthmus(lab, 'east', ['apply', '--context', 'east', '-f', '-'], { input: SHOP })).toMatchObject({ status: 0 });
}, 20 * MINUTE_MS);

afterAll(async () => {
  await Lab.down(NAME);
  await program?.remove();
  expect(leftovers(NAME)).toEqual([]);
}, MINUTE_MS);

/** Runs Cilium's readers over one cluster. */
async function read(place: Place | string, config: string, cluster: string, ...flags: readonly string[]): Promise<CiliumReport> {
  const argv = [program.path, 'read', '--config', config, '--cluster', cluster, ...flags];
  const { status, stdout, stderr } = await lab.exec(place, argv, { timeoutMs: MINUTE_MS });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as CiliumReport;
}

/** Reads until the condition holds: what was applied a moment ago is exported a moment later. */
const readWhen = (holds: (report: CiliumReport) => boolean, ...how: Parameters<typeof read>): Promise<CiliumReport> => {
  let last: CiliumReport | undefined;
  const look = async (): Promise<CiliumReport | false> => {
    last = await read(...how);
    return holds(last) && last;
  };
  const onTimeout = (): string => `Cilium refuses ${JSON.stringify(last?.refused)} and says ${JSON.stringify(last?.warnings)}`;
  return waitUntil(look, { what: `${how[2]} to be read in full`, timeoutMs: MINUTE_MS, everyMs: 200, onTimeout });
};

const exported = ({ records }: CiliumReport): boolean =>
  'shop/named' in records.services && 'shop/full' in records.serviceexports && Object.keys(records.ips).length === 4;

/** Rows of one cluster in a table of a node's agent, by their keys without the cluster. */
async function table(node: string, name: string, cluster: string): Promise<Record<string, Row>> {
  const { stdout } = await isthmus(lab, node, ['table', 'get', name, '-o', 'json']);
  const rows = (JSON.parse(stdout) as { key: string; row: Row }[]).filter(({ row }) => row['cluster'] === cluster);
  return Object.fromEntries(rows.map(({ key, row }) => [key.replace(`${cluster}/`, ''), row]));
}

/** What a cluster's apiserver was configured with when it joined: a peer's agents are given the same. */
const joined = (own: string, remote: string): string => join(clusterFiles(lab.cluster(own)).clustermesh, remote);

/** `from` with some members only. */
const pick = (from: Row, ...members: readonly string[]): Row => Object.fromEntries(members.map((member) => [member, from[member]]));

describe("Cilium's readers over a mesh etcd of ours", () => {
  let report: CiliumReport;
  const names = (kind: CiliumKind): string[] => Object.keys(report.records[kind]).sort();

  beforeAll(async () => {
    report = await readWhen(exported, 'west', joined('west', 'east'), 'east');
  }, 2 * MINUTE_MS);

  it('connect with what `connect` wrote, and accept the configuration', () => {
    expect(report.module).toMatch(/^github\.com\/cilium\/cilium v1\./);
    expect(report.config).toEqual({
      id: 1,
      capabilities: { syncedCanaries: true, maxConnectedClusters: 255, serviceExportsEnabled: true },
    });
    expect(report.heartbeat).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('refuse no record and warn of nothing', () => {
    expect(report.refused).toEqual({});
    expect(report.warnings).toEqual([]);
    expect(names('nodes')).toEqual(['n1']);
    expect(names('identities')).toHaveLength(2);
    expect(names('services')).toEqual(['default/web', 'default/web-local', 'default/web-remote', 'shop/full', 'shop/named']);
    expect(names('serviceexports')).toEqual(['shop/full', 'shop/named']);
  });

  // What this version of Cilium writes, and we leave out: `"Mask":null` of addresses, and the second names of labels and annotations.
  const REWRITES: Readonly<Record<CiliumKind, (rewritten: string) => string>> = {
    nodes: (text) => text,
    identities: (text) => text,
    services: (text) => text,
    ips: (text) => text.replace('"Mask":null,', ''),
    serviceexports: (text) => text.replace(/"Labels":\{.*?\},/, '').replace(/"Annotations":\{.*?\},/, ''),
  };

  it.each(CILIUM_KINDS)('lose no field of %s: what they would write is what we wrote, byte for byte', (kind) => {
    const all = Object.values(report.records[kind]);
    expect(all.map(({ rewritten }) => REWRITES[kind](rewritten))).toEqual(all.map(({ value }) => value));
  });

  it('understand of every address what our own agents do', async () => {
    const rows = await table('west/n1', 'remote-ips', 'east');
    expect(Object.keys(rows)).toHaveLength(4);
    // No node encrypts: key 0 says so.
    const ours = Object.entries(rows).map(([ip, row]) => [ip, { ...pick(row, 'hostIp', 'identity', 'namespace', 'pod'), key: 0 }]);
    expect(report.ipcache).toEqual(Object.fromEntries(ours));
    const { ipv4, ipv6 } = lab.podAddresses(lab.pod('east', 'a1'));
    expect(report.ipcache).toMatchObject({ [ipv4]: { pod: 'a1' }, [ipv6]: { pod: 'a1' } });
  });

  it('understand of nodes, identities and services what our own agents do', async () => {
    const nodes = await table('west/n1', 'remote-nodes', 'east');
    const node = JSON.parse(report.records.nodes['n1']!.rewritten) as { IPAddresses: { Type: string; IP: string }[]; ClusterID: number };
    const { ipv4, ipv6 } = lab.node('east', 'n1').addresses;
    expect(node.ClusterID).toBe(1);
    expect(node.IPAddresses.filter(({ Type }) => Type === 'InternalIP').map(({ IP }) => IP)).toEqual([ipv4, ipv6]);
    expect(nodes['n1']).toMatchObject({ internalIps: [ipv4, ipv6], hostIps: node.IPAddresses.map(({ IP }) => IP) });

    const identities = await table('west/n1', 'remote-identities', 'east');
    expect(Object.fromEntries(Object.entries(identities).map(([id, row]) => [id, row['labels']]))).toEqual(
      Object.fromEntries(names('identities').map((id) => [id, report.records.identities[id]!.rewritten])),
    );

    const services = await table('west/n1', 'remote-service-backends', 'east');
    expect(Object.keys(services).sort()).toEqual(names('services'));
    for (const [name, row] of Object.entries(services)) {
      const backends = (JSON.parse(report.records.services[name]!.rewritten) as { backends: object }).backends;
      expect((row['backends'] as { ip: string }[]).map(({ ip }) => ip)).toEqual(Object.keys(backends));
    }
  });

  it("read a cluster's mirror in another cluster's etcd as the cluster itself", async () => {
    const mirror = '/run/isthmus/pki/mesh-etcd-config.yaml'; // what west's own agents are given
    const mirrored = await readWhen(exported, lab.place('west/n1'), mirror, 'east', '--cached');
    expect(mirrored.records).toEqual(report.records);
    expect(mirrored.ipcache).toEqual(report.ipcache);
    expect([mirrored.refused, mirrored.warnings]).toEqual([{}, []]);
    expect(mirrored.config).toMatchObject({ id: 1, capabilities: { cached: true } });
  });
});

describe("a cluster that Cilium's writers wrote", () => {
  const etcdId = 'east/cilium-etcd';
  let east: ClusterPlan;
  let config: string;
  let writer: ReturnType<Lab['startCommand']>;

  beforeAll(async () => {
    east = lab.cluster('east');
    config = startEtcd();
    writer = lab.startCommand(east.control, [program.path, 'write', '--config', config]);
    await waitUntil(() => writer.lines().includes('written'), { what: "Cilium's writers", timeoutMs: MINUTE_MS });
    // As the administrator of a cluster does whose peer is Cilium: a file in the folder of remote clusters.
    writeFileSync(joined('east', CILIUM.cluster), readFileSync(config));
    await waitUntil(async () => 'shop/web' in (await table('east/n1', 'remote-service-backends', CILIUM.cluster)), {
      what: 'east/n1 to know the cluster',
      timeoutMs: MINUTE_MS,
    });
  }, 2 * MINUTE_MS);

  afterAll(async () => {
    await writer?.end();
  });

  /** An etcd in east's control plane, and the client configuration for it. */
  function startEtcd(): string {
    const { pki, config: folder, meshEtcdData } = clusterFiles(east);
    const [url, peer] = [controlUrls(east, CILIUM_PORT)[0]!, `http://127.0.0.1:${CILIUM_PORT + 1}`];
    const tls = ['--client-cert-auth', '--trusted-ca-file', pki.ca.cert, '--cert-file', pki.meshEtcd.cert, '--key-file', pki.meshEtcd.key];
    const urls = ['--listen-client-urls', url, '--advertise-client-urls', url, '--listen-peer-urls', peer];
    const argv = [join(DAEMONS, 'etcd'), '--data-dir', `${meshEtcdData}-cilium`, ...urls, ...tls, '--logger', 'zap'];
    lab.processes.start({ id: etcdId, place: east.control, argv });
    const file = join(folder, 'cilium-etcd.yaml');
    const { cert, key } = pki.clients.admin;
    writeFileSync(file, `endpoints:\n- ${url}\ntrusted-ca-file: ${pki.ca.cert}\ncert-file: ${cert}\nkey-file: ${key}\n`);
    return file;
  }

  /** Everything under a prefix of east's mesh etcd. */
  async function meshKeys(prefix: string): Promise<Record<string, string>> {
    const { pki } = clusterFiles(east);
    const { cert, key } = pki.clients.root;
    const tls = ['--endpoints', 'https://127.0.0.1:2479', '--cacert', pki.ca.cert, '--cert', cert, '--key', key];
    const argv = [join(DAEMONS, 'etcdctl'), 'get', '--prefix', prefix, '-w', 'json', ...tls];
    const { stdout } = await lab.exec(east.control, argv, { env: { ETCDCTL_API: '3' } });
    const text = (base64: string): string => Buffer.from(base64, 'base64').toString();
    const { kvs = [] } = JSON.parse(stdout) as { kvs?: { key: string; value: string }[] };
    return Object.fromEntries(kvs.map((kv) => [text(kv.key).slice(prefix.length), text(kv.value)]));
  }

  it('is mirrored byte for byte, and nothing of it is dropped', async () => {
    const { records, warnings, config: told } = await read(east.control, config, CILIUM.cluster);
    expect(warnings).toEqual([]);
    for (const kind of CILIUM_KINDS) {
      const wrote = Object.fromEntries(Object.entries(records[kind]).map(([name, { value }]) => [name, value]));
      expect(Object.keys(wrote).sort()).toEqual(Object.keys(CILIUM_RECORDS[kind]).sort());
      expect(await meshKeys(cacheLayout(kind, CILIUM.cluster).prefix)).toEqual(wrote);
    }
    const ours = {
      id: 7,
      syncedCanaries: true,
      cached: false,
      maxConnectedClusters: 255,
      serviceExportsEnabled: true,
      endpointSlicesExportMode: '',
      tunnelProtocol: '',
      wireguard: false,
    } as const;
    expect(encodeClusterConfig(ours)).toBe(JSON.stringify(told));
  });

  it.each(CILIUM_KINDS)('is understood in every field of its %s', async (kind) => {
    const values = await meshKeys(cacheLayout(kind, CILIUM.cluster).prefix);
    const decoded = Object.entries(values).map(([name, value]) => {
      const result = decodeRecord(kind, Buffer.from(value), { ...CILIUM, maxConnectedClusters: 255, name });
      return [name, result.ok ? result.value : result.reason] as const;
    });
    expect(Object.fromEntries(decoded)).toEqual(CILIUM_RECORDS[kind]);
  });

  it("is in the agents' tables", async () => {
    const rows = {
      nodes: await table('east/n1', 'remote-nodes', CILIUM.cluster),
      ips: await table('east/n1', 'remote-ips', CILIUM.cluster),
      identities: await table('east/n1', 'remote-identities', CILIUM.cluster),
      services: await table('east/n1', 'remote-service-backends', CILIUM.cluster),
    };
    const { nodes, ips, identities, services } = CILIUM_RECORDS;
    expect(rows.nodes).toEqual({
      bare: { ...CILIUM, name: 'bare', internalIps: [], hostIps: [], podCidrs: [], encryptionKey: 0, wireguardPublicKey: '' },
      'worker-1': {
        ...CILIUM,
        name: 'worker-1',
        internalIps: ['192.0.2.7', '2001:db8:7::1'],
        hostIps: ['192.0.2.7', '2001:db8:7::1', '198.51.100.7', '10.77.1.1'],
        podCidrs: ['10.77.1.0/24', '10.78.0.0/20', 'fd77:1::/64', 'fd78::/80'],
        encryptionKey: 5,
        wireguardPublicKey: nodes['worker-1']!.wireguardPubKey,
      },
    });
    const addresses = Object.values(ips).map(({ ip, hostIp, identity, namespace, podName: pod }) => [
      ip,
      { ...CILIUM, ip, hostIp, identity, namespace, pod },
    ]);
    expect(rows.ips).toEqual(Object.fromEntries(addresses));
    expect(rows.identities).toEqual(
      Object.fromEntries(
        Object.values(identities).map(({ id, labels }) => [id, { id, cluster: CILIUM.cluster, labels: `${labels.join(';')};` }]),
      ),
    );
    expect(rows.services).toEqual({
      'shop/bare': { ...CILIUM, namespace: 'shop', name: 'bare', backends: [] },
      'shop/web': { ...CILIUM, namespace: 'shop', name: 'web', backends: services['shop/web']!.backends },
    });
  });

  it("is in the kernel's map", async () => {
    const { stdout } = await isthmus(lab, 'east/n1', ['bpf', 'ipcache', 'list', '-o', 'json']);
    const rows = JSON.parse(stdout) as { prefix: string; identity: number; cluster: number }[];
    const theirs = new Map(rows.filter(({ cluster }) => cluster === CILIUM.clusterId).map(({ prefix, identity }) => [prefix, identity]));
    for (const { ip, identity } of Object.values(CILIUM_RECORDS.ips)) expect([ip, theirs.get(ip)]).toEqual([ip, identity]);
  });

  it('is read back from our mirror by Cilium', async () => {
    const mirror = '/run/isthmus/pki/mesh-etcd-config.yaml';
    const [own, mirrored] = [await read(east.control, config, CILIUM.cluster), await read('east/n1', mirror, CILIUM.cluster, '--cached')];
    expect(mirrored.records).toEqual(own.records);
    expect(mirrored.ipcache).toEqual(own.ipcache);
  });
});

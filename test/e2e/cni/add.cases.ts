import { deleteNamespace, type PodPlace, ping, tableRows } from '@isthmus/lab';
import type { EndpointRow } from '@isthmus/model';
import { type CniNode, type CniOutput, devicesOf, failure, ip, ipv4Of, netnsOf, type Traces } from './cni-lab.ts';

const PARALLEL = 50;

/** ADD: what it answers, what it refuses, and that what it refuses leaves nothing. */
export function addCases(node: () => CniNode): void {
  let pod: PodPlace;
  let before: Traces;

  beforeAll(async () => {
    [pod] = (await node().makePods('add')) as [PodPlace];
    before = await node().traces();
  });
  afterEach(async () => {
    await node().call('DEL', pod);
    await node().settlesAt(before);
  });
  afterAll(() => node().removePods(pod));

  const answers = (address: string): Promise<boolean> => ping(node().lab, node().node, address);

  it.each(['0.3.1', '0.4.0', '1.0.0', '1.1.0'])('answers in version %s, and what it answers is so', async (cniVersion) => {
    const added = await node().add(pod, { config: { cniVersion, dns: { nameservers: ['10.101.0.10'], search: ['east.local'] } } });
    const [host, inside] = added.interfaces!;
    const link = JSON.parse(ip(pod.netns, '-json', 'link', 'show', 'eth0'))[0];
    expect(added).toMatchObject({ cniVersion, dns: { nameservers: ['10.101.0.10'], search: ['east.local'] } });
    expect(inside).toMatchObject({ name: 'eth0', mac: link.address, sandbox: netnsOf(pod) });
    expect(devicesOf(node().node.netns)).toContain(host!.name);
    expect([inside!.mtu, added.routes![0]!.mtu]).toEqual(cniVersion === '1.1.0' ? [link.mtu, link.mtu] : [undefined, undefined]);
    expect(added.ips!.map(({ version }) => version)).toEqual(cniVersion.startsWith('0') ? ['4', '6'] : [undefined, undefined]);
    expect(added.ips!.map((each) => each.interface)).toEqual([1, 1]);
    for (const { address, gateway } of added.ips!) {
      expect(ip(pod.netns, 'address', 'show', 'dev', 'eth0')).toContain(address);
      const family = address.includes(':') ? '-6' : '-4';
      expect(ip(pod.netns, family, 'route', 'show', 'default')).toContain(`default via ${gateway} dev eth0`);
      expect(await answers(address.split('/')[0] as string)).toBe(true);
    }
  });

  it('a second time is an error, and leaves what the first one made', async () => {
    const address = ipv4Of(await node().add(pod));
    const made = await node().traces();
    expect(await node().call('ADD', pod)).toEqual(failure(100, /^ENDPOINT_EXISTS: .* has eth0 already/));
    expect(await node().traces()).toEqual(made);
    expect(await answers(address)).toBe(true);
  });

  it('of a second interface of the same pod does not take the first one’s routes', async () => {
    const address = ipv4Of(await node().add(pod));
    const made = await node().traces();
    expect(await node().call('ADD', pod, { env: { CNI_IFNAME: 'net1' } })).toEqual(
      failure(100, /^POD_ROUTE_TAKEN: .* by another interface than net1/),
    );
    expect(devicesOf(pod.netns)).toEqual(['eth0', 'lo']);
    await node().settlesAt(made);
    expect(await answers(address)).toBe(true);
  });

  it('does not touch a stranger’s interface of that name', async () => {
    ip(pod.netns, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'other');
    try {
      expect(await node().call('ADD', pod)).toEqual(failure(100, /^NETLINK_CONFLICT: .*eth0 is taken in its namespace/));
      expect(devicesOf(pod.netns)).toEqual(['eth0', 'lo', 'other']);
      await node().call('DEL', pod);
      expect(devicesOf(pod.netns)).toEqual(['eth0', 'lo', 'other']);
    } finally {
      ip(pod.netns, 'link', 'delete', 'eth0');
    }
  });

  it('behind another plugin answers what that one made, then its own', async () => {
    const first = { name: 'ifb9', mac: '02:00:00:00:00:01', sandbox: netnsOf(pod) };
    const prevResult = {
      cniVersion: '1.1.0',
      interfaces: [first],
      ips: [{ address: '192.0.2.9/24', interface: 0 }],
      routes: [{ dst: '198.51.100.0/24' }],
    };
    const added = await node().add(pod, { config: { prevResult } });
    expect(added.interfaces!.map(({ name }) => name)).toEqual(['ifb9', expect.stringMatching(/^isth/), 'eth0']);
    expect(added.ips!.map((each) => each.interface)).toEqual([0, 2, 2]);
    expect(added.routes!.map(({ dst }) => dst)).toEqual(['198.51.100.0/24', '0.0.0.0/0', '::/0']);
  });

  it('ignores what it does not know, and arguments of capabilities', async () => {
    const config = { unknown: { deep: [1] }, runtimeConfig: { portMappings: [{ hostPort: 80 }] }, args: { cni: {} }, ipam: {} };
    expect(await node().call('ADD', pod, { config })).toMatchObject({ status: 0 });
  });

  it.each<[string, number, RegExp, object | string, Record<string, string>]>([
    ['a version that is not spoken', 1, /9\.9\.9/, { cniVersion: '9.9.9' }, {}],
    ['addresses from another plugin', 2, /^CNI_FIELD_UNSUPPORTED: ipam: \{"type":"host-local"\}/, { ipam: { type: 'host-local' } }, {}],
    ['a namespace that is not there', 3, /^NETNS_MISSING: .*\/run\/netns\/nobody/, {}, { CNI_NETNS: '/run/netns/nobody' }],
    ['a namespace that is a file', 4, /^NETNS_ENTER: .*ordinary file/, {}, { CNI_NETNS: '/etc/hostname' }],
    ['a namespace that is a folder', 4, /^NETNS_ENTER: /, {}, { CNI_NETNS: '/etc' }],
    ['a namespace of another kind', 4, /^NETNS_ENTER: /, {}, { CNI_NETNS: '/proc/self/ns/mnt' }],
    ["the node's own namespace", 4, /^POD_NETNS_OWN: /, {}, { CNI_NETNS: '/proc/self/ns/net' }],
    ['an interface name that is a pattern', 4, /CNI_IFNAME/, {}, { CNI_IFNAME: 'eth%d' }],
    ['an interface name with a colon', 4, /CNI_IFNAME/, {}, { CNI_IFNAME: 'eth0:1' }],
    ['an interface name that is too long', 4, /CNI_IFNAME/, {}, { CNI_IFNAME: 'sixteen-letters-' }],
    ['a container id with a slash', 4, /CNI_CONTAINERID/, {}, { CNI_CONTAINERID: 'a/b' }],
    ['no pod in CNI_ARGS', 4, /^CNI_REQUEST_INVALID: CNI_ARGS: /, {}, { CNI_ARGS: 'IgnoreUnknown=1' }],
    ['a configuration that is no JSON', 6, /^CNI_CONFIG_MALFORMED: /, '{"cniVersion":"1.1.0",', {}],
    ['a configuration of 2 MB', 5, /^CNI_INPUT_UNREADABLE: /, { pad: 'x'.repeat(2_000_000) }, {}],
    ['a network without a name', 7, /config\.name/, { name: '' }, {}],
    ['a network whose name is a path', 7, /config\.name/, { name: '../x' }, {}],
    ['a result of an earlier plugin that is none', 7, /config\.prevResult\.ips/, { prevResult: { ips: 1 } }, {}],
    [
      'a pod that nobody has applied',
      100,
      /^POD_NOT_FOUND: .*default\/nobody/,
      {},
      { CNI_ARGS: 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=nobody' },
    ],
  ])('refuses %s with number %i, and leaves nothing', async (_, code, msg, config, env) => {
    expect(await node().call('ADD', pod, { config, env })).toEqual(failure(code, msg));
    expect(devicesOf(pod.netns)).toEqual(['lo']);
    await node().settlesAt(before);
  });

  it("refuses the node's own namespace by whatever path, and touches none of its devices", async () => {
    const devices = devicesOf(node().node.netns);
    const path = `/run/netns/${node().node.netns}`;
    expect(await node().call('ADD', pod, { env: { CNI_NETNS: path } })).toEqual(failure(4, /^POD_NETNS_OWN: /));
    expect(devicesOf(node().node.netns)).toEqual(devices);
  });

  it('fails when the namespace goes meanwhile, and leaves nothing', async () => {
    const [late] = (await node().makePods('late')) as [PodPlace];
    const adding = await node().whileEtcdSleeps(async () => {
      const call = node().call('ADD', late);
      await node().halfMade(late);
      await deleteNamespace(late.netns);
      return { call };
    });
    expect(await adding.call).toEqual(failure(3, /^NETNS_MISSING: /));
    await node().settlesAt(before);
  });

  it('fails in time when etcd does not answer: try again later; and then it goes', async () => {
    const started = performance.now();
    const failed = await node().whileEtcdSleeps(() => node().call('ADD', pod));
    expect(failed).toEqual(failure(11, /^KV_(TIMEOUT|UNREACHABLE): /));
    expect(performance.now() - started).toBeLessThan(20_000);
    await node().settlesAt(before);
    expect(await answers(ipv4Of(await node().add(pod)))).toBe(true);
  });

  it('of one container many times at once makes it once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => node().call('ADD', pod)));
    const made = outcomes.filter(({ status }) => status === 0);
    expect(made).toHaveLength(1);
    for (const failed of outcomes.filter(({ status }) => status !== 0)) expect(failed).toEqual(failure(100, /^ENDPOINT_EXISTS: /));
    expect(await tableRows<EndpointRow>(node().node, 'endpoints')).toHaveLength(1);
    expect(await answers(ipv4Of(made[0] as CniOutput))).toBe(true);
  });

  it(`of ${PARALLEL} pods at once gives each its own address; DEL of all at once leaves nothing`, async () => {
    const pods = await node().makePods(...Array.from({ length: PARALLEL }, (_, i) => `many${i}`));
    try {
      const added = await Promise.all(pods.map((each) => node().add(each)));
      expect(new Set(added.flatMap(({ ips }) => ips!.map(({ address }) => address))).size).toBe(2 * PARALLEL);
      const reached = await node().run([
        'sh',
        '-c',
        `for a in ${added.map(ipv4Of).join(' ')}; do ping -nqc1 -W2 $a >/dev/null && echo $a; done`,
      ]);
      expect(reached.stdout.trim().split('\n')).toEqual(added.map(ipv4Of));
      expect(await Promise.all(pods.map((each) => node().call('DEL', each)))).toEqual(pods.map(() => ({ status: 0, text: '' })));
      await node().settlesAt(before);
    } finally {
      await node().removePods(...pods);
    }
  });

  it('of two containers of one pod makes both: a pod is made anew while the old one still goes', async () => {
    const [other] = (await node().makePods('add-other')) as [PodPlace];
    try {
      const args = { CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod.name}` };
      const [first, second] = await Promise.all([node().add(pod), node().add(other, { env: args })]);
      expect(ipv4Of(first)).not.toBe(ipv4Of(second));
      for (const each of [first, second]) expect(await answers(ipv4Of(each))).toBe(true);
    } finally {
      await node().removePods(other);
    }
  });
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { agentId, type ClusterPlan, type CommandResult, Lab, leftovers, parseTopology, ping, waitForAgent, waitUntil } from '@isthmus/lab';
import { cliError, devices, EXIT_CONFIG, holdUdpPort, isthmus, lastWords, startAgain } from './errors/error-lab.ts';

// What becomes of clusters and nodes whose tunnel-protocol differs, or changes. One lab serves all tests: each leaves it as the next one needs it.

const NAME = 'e2etunnel';
const MINUTE_MS = 60_000;
const GENEVE_PORT = 6081;
const REFUSED = 4;
const NOT_READY = 3;
import.meta.jest.setTimeout(MINUTE_MS);

const TOPOLOGY = parseTopology(
  `
clusters:
  - name: east
    id: 1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/16, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    config: { tunnel-protocol: geneve }
    nodes: [{ name: n1, pods: [a1] }, { name: n2, pods: [b1] }]
  - name: west
    id: 2
    underlay: { ipv4: 172.21.2.0/24, ipv6: "fd21:2::/64" }
    pods: { ipv4: 10.2.0.0/16, ipv6: "fd10:2::/104" }
    services: { ipv4: 10.102.0.0/16, ipv6: "fd10:102::/112" }
    nodes: [{ name: n1, pods: [a1] }]
`,
  'the topology of the tunnel tests',
);

let lab: Lab;

beforeAll(async () => {
  await Lab.down(NAME);
  lab = await Lab.up(TOPOLOGY, { name: NAME, through: 'pods' });
}, 2 * MINUTE_MS);

afterAll(async () => {
  await Lab.down(NAME);
  expect(leftovers(NAME)).toEqual([]);
});

const node = (cluster: string, name: string) => lab.node(cluster, name);
const status = async (cluster: string, name: string): Promise<Record<string, unknown>> =>
  JSON.parse((await isthmus(lab, node(cluster, name), ['status', '-o', 'json'])).stdout).tunnel;
const pins = (cluster: string, name: string): string[] =>
  readdirSync(join(node(cluster, name).bpf, 'isthmus')).filter((pin) => /decap_geneve|from_overlay/.test(pin));
const pingAcross = (): Promise<boolean> => ping(lab, lab.place('east/a1'), lab.podAddresses(lab.pod('east', 'b1')).ipv4);

/** Ends a node's agent and starts it with other settings, which are the last ones given. */
async function restartAgent(cluster: string, name: string, protocol: string): Promise<void> {
  const id = agentId(node(cluster, name));
  const { argv } = lab.processes.get(id);
  await lab.processes.stop(id);
  lab.processes.start({ id, place: node(cluster, name), argv: [...argv, '--tunnel-protocol', protocol] });
  await waitForAgent(lab.processes, node(cluster, name));
}

async function restartApiserver({ name, control }: ClusterPlan, protocol: string): Promise<void> {
  const id = `${name}/apiserver`;
  const { argv } = lab.processes.get(id);
  await lab.processes.stop(id);
  lab.processes.start({ id, place: control, argv: [...argv, '--tunnel-protocol', protocol] });
}

const meshStatus = (name: string): Promise<CommandResult> => isthmus(lab, name, ['clustermesh', 'status', '--context', name]);
const meshStatusWith = (name: string, text: string): Promise<CommandResult> =>
  waitUntil(
    async () => {
      const seen = await meshStatus(name);
      return seen.stdout.includes(text) ? seen : undefined;
    },
    { what: `${name}'s clustermesh status to say ${text}`, timeoutMs: 40_000 },
  );
const connect = (from: string, to: string): Promise<CommandResult> =>
  isthmus(lab, from, ['clustermesh', 'connect', '--context', from, '--destination-context', to]);

it('a node says what its tunnel is', async () => {
  // A node hears of the other one's pods after its own are there.
  await waitUntil(pingAcross, { what: 'a pod to reach one of the other node', timeoutMs: 10_000 });
  const tunnel = await status('east', 'n1');
  expect(tunnel).toMatchObject({ protocol: 'geneve', port: GENEVE_PORT });
  // The one or the other, by what the kernel has.
  expect([tunnel['device'], tunnel['xdp']]).toEqual(tunnel['device'] === '' ? ['', { eth0: 'native' }] : ['isth_geneve', {}]);
  expect(await status('west', 'n1')).toEqual({ protocol: 'vxlan', port: 8472, device: 'isth_vxlan', xdp: {} });
});

it('clusters that differ cannot be connected, from neither side, and nothing is half done', async () => {
  const differ = (from: string, to: string) =>
    cliError('JOIN_TUNNEL_PROTOCOL', from, new RegExp(`tunnel-protocol is \\w+ in ${to} and \\w+ in ${from}`));
  expect(await connect('east', 'west')).toEqual({ status: REFUSED, stdout: '', stderr: differ('east', 'west') });
  expect(await connect('west', 'east')).toEqual({ status: REFUSED, stdout: '', stderr: differ('west', 'east') });
  for (const name of ['east', 'west']) expect((await meshStatus(name)).stdout).toContain('0 of 0 remote clusters ready');
});

it('a port that somebody else has: the agent says so, and what flows goes on', async () => {
  const n1 = node('east', 'n1');
  const before = pins('east', 'n1');
  await lab.processes.stop(agentId(n1));
  const port = await holdUdpPort(lab, n1, 7000);
  const { argv } = lab.processes.get(agentId(n1));
  const { status: exit, stdout } = await lab.exec(n1, [...argv, '--tunnel-port', '7000']);
  expect(exit).toBe(EXIT_CONFIG);
  expect(lastWords(stdout).err).toMatchObject({ code: 'NETLINK_PORT_TAKEN', object: expect.stringMatching(/UDP port 7000|isth_geneve/) });
  await port.end();
  expect(pins('east', 'n1')).toEqual(before);
  expect(await pingAcross()).toBe(true);
  startAgain(lab, agentId(n1), n1);
  await waitForAgent(lab.processes, n1);
});

it('nodes that change their protocol leave nothing of the old one, and reach each other when all have changed', async () => {
  await restartAgent('east', 'n1', 'vxlan');
  await restartAgent('east', 'n2', 'vxlan');
  for (const name of ['n1', 'n2']) {
    await waitUntil(() => pins('east', name).join() === 'link_from_overlay_isth_vxlan', {
      what: `east/${name} to have VXLAN alone`,
      timeoutMs: 20_000,
    });
    expect(await devices(lab, node('east', name))).toContain('isth_vxlan');
    expect(await devices(lab, node('east', name))).not.toContain('isth_geneve');
    expect((await lab.exec(node('east', name), ['ip', 'link', 'show', 'eth0'])).stdout).not.toContain('xdp');
  }
  expect(await pingAcross()).toBe(true);
  for (const name of ['n1', 'n2']) await restartAgent('east', name, 'geneve');
  for (const name of ['n1', 'n2']) {
    await waitUntil(async () => !(await devices(lab, node('east', name))).includes('isth_vxlan'), {
      what: `east/${name} to have no VXLAN device any more`,
      timeoutMs: 20_000,
    });
    expect(pins('east', name)).not.toContain('link_from_overlay_isth_vxlan');
  }
  expect(await pingAcross()).toBe(true);
});

it(
  'connected clusters that come to differ say so on both sides, keep what they know, and go on when they agree',
  async () => {
    const [east, west] = [lab.cluster('east'), lab.cluster('west')];
    await restartApiserver(west, 'geneve');
    await restartAgent('west', 'n1', 'geneve');
    await waitUntil(async () => (await connect('east', 'west')).status === 0, { what: 'east and west to be connected', timeoutMs: 40_000 });
    for (const name of ['east', 'west']) await meshStatusWith(name, '1 of 1 remote clusters ready');
    expect((await meshStatus('east')).stdout).toMatch(/^west .*mesh of 255, geneve/m);
    const known = async (): Promise<string> => (await isthmus(lab, node('east', 'n1'), ['bpf', 'ipcache'])).stdout;
    const westPod = lab.podAddresses(lab.pod('west', 'a1')).ipv4;
    await waitUntil(async () => (await known()).includes(westPod), { what: `east/n1 to know ${westPod}`, timeoutMs: 20_000 });

    await restartApiserver(west, 'vxlan');
    for (const [name, other] of [
      ['east', 'west'],
      ['west', 'east'],
    ] as const) {
      const seen = await meshStatusWith(name, 'MESH_TUNNEL_MISMATCH');
      expect(seen.status).toBe(NOT_READY);
      expect(seen.stdout).toMatch(
        new RegExp(
          `^${other}: MESH_TUNNEL_MISMATCH: ${other} has tunnel-protocol \\w+, this cluster \\(${name}\\) has \\w+\n  what to do: Set the same`,
          'm',
        ),
      );
    }
    expect(await known()).toContain(westPod);
    expect(await ping(lab, lab.place('east/a1'), westPod)).toBe(true);

    await restartApiserver(west, 'geneve');
    for (const name of [east.name, west.name]) await meshStatusWith(name, '1 of 1 remote clusters ready');
  },
  3 * MINUTE_MS,
);

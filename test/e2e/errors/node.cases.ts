import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentId, clusterFiles, type Lab, type NodePlace, waitForAgent, waitUntil } from '@isthmus/lab';
import {
  agentAfter,
  agentToItsEnd,
  appCommand,
  asNobody,
  EXIT_CONFIG,
  enrol,
  holdTcpPort,
  holdUdpPort,
  isthmus,
  lastWords,
  ourDevices,
  startAgain,
  startAgent,
  startReadyAgent,
  statusWhen,
} from './error-lab.ts';

const NO_CGROUP2 = 'umount /sys/fs/cgroup';
const NO_BPFFS = 'umount /sys/fs/bpf';
/** The library is there and is none. */
const NO_LIBBPF = `for lib in $(/sbin/ldconfig -p | sed -n 's/.*libbpf.so.1 .*=> //p'); do mount --bind /dev/null "$lib"; done`;
const TUNNEL_PORT = 8472;
const HEALTH_PORT = 9962;
const GHOST = { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name: 'ghost' }, spec: {} };

/** A node that lacks something, and one whose etcd does not answer. */
export function nodeCases(lab: () => Lab): void {
  const node = (name: string): NodePlace => lab().node('east', name);

  it.each([
    ['a cgroup2 hierarchy', NO_CGROUP2, 'CGROUP2_MISSING', 'cgroup-root', 'mount -t cgroup2'],
    ['a BPF file system', NO_BPFFS, 'BPFFS_MISSING', '/sys/fs/bpf/isthmus', 'mount -t bpf'],
    ['libbpf', NO_LIBBPF, 'LIBBPF_MISSING', undefined, 'libbpf1'],
  ])('a machine without %s: the agent says so before it makes anything', async (_, change, code, object, advice) => {
    const { status, stdout } = await agentAfter(lab(), node('n1'), change);
    const { err } = lastWords(stdout);
    expect(err).toMatchObject({ code, action: expect.stringContaining(advice) });
    if (object !== undefined) expect(err.object).toBe(object);
    expect(status).toBe(EXIT_CONFIG);
    expect(await ourDevices(lab(), node('n1'))).toEqual([]);
    expect(readdirSync(node('n1').bpf)).toEqual([]);
  });

  it('its address for health and metrics is taken: the agent says so before it makes anything', async () => {
    const port = await holdTcpPort(lab(), node('n1'), HEALTH_PORT);
    const { status, stdout } = await agentToItsEnd(lab(), node('n1'), '--prometheus-serve-addr', `127.0.0.1:${HEALTH_PORT}`);
    await port.end();
    expect(status).toBe(EXIT_CONFIG);
    expect(lastWords(stdout).err).toMatchObject({
      code: 'STATUS_LISTEN',
      object: `127.0.0.1:${HEALTH_PORT}`,
      message: expect.stringContaining('EADDRINUSE'),
      action: expect.stringContaining('free host:port'),
    });
    expect(await ourDevices(lab(), node('n1'))).toEqual([]);
  });

  it('etcd does not answer: the agent waits, says for what, and goes on by itself', async () => {
    await enrol(lab(), node('n1'));
    await lab().processes.stop('east/etcd', 'SIGKILL');
    startAgent(lab(), node('n1'));
    const status = await statusWhen(node('n1'), 'etcd is away', ({ connections }) => connections['cluster etcd']?.problem !== undefined);
    expect(status).toMatchObject({
      ready: false,
      waitingFor: 'the cluster etcd, which tells its pod CIDRs',
      connections: {
        'cluster etcd': {
          connected: false,
          problem: { code: 'KV_UNREACHABLE', object: expect.stringContaining(':2379'), action: expect.stringContaining('retried') },
        },
      },
    });
    const shown = await isthmus(lab(), node('n1'), ['status']);
    expect(shown.status).toBe(3);
    expect(shown.stdout).toMatch(/cluster etcd +not connected: KV_UNREACHABLE\n/);
    expect(shown.stdout).toMatch(/\ncluster etcd: KV_UNREACHABLE: .*:2379.*\n {2}what to do: Check that the server runs/);
    expect(lab().processes.isAlive(agentId(node('n1')))).toBe(true);
    startAgain(lab(), 'east/etcd', lab().cluster('east').control);
    await waitForAgent(lab().processes, node('n1'));
  });

  it('a second agent leaves the first one alone', async () => {
    const { status, stdout } = await agentToItsEnd(lab(), node('n1'));
    expect(status).toBe(EXIT_CONFIG);
    expect(lastWords(stdout).err).toMatchObject({ code: 'SOCKET_TAKEN', object: '/run/isthmus/isthmus.sock' });
    await waitForAgent(lab().processes, node('n1'));
  });

  it('a user who is not root may not speak to the agent, and is told so', async () => {
    const argv = asNobody(appCommand('cli', 'status', '--socket', '/run/isthmus/isthmus.sock'));
    const { status, stderr } = await lab().exec(node('n1'), argv);
    expect(status).toBe(4);
    expect(stderr).toContain('error: CLI_AGENT_DENIED /run/isthmus/isthmus.sock: ');
    expect(stderr).toContain('what to do: Run the command as root');
  });

  it('an etcd of another CA is not believed; what the agent has stays', async () => {
    const pki = join(node('n1').run, 'isthmus/pki');
    copyFileSync(clusterFiles(lab().cluster('west')).pki.ca.cert, join(pki, 'stranger.crt'));
    const right = readFileSync(join(pki, 'etcd-config.yaml'), 'utf8');
    writeFileSync(join(pki, 'stranger.yaml'), right.replace('/ca.crt', '/stranger.crt'), { mode: 0o600 });
    const before = readdirSync(node('n1').bpf, { recursive: true }).sort();
    await lab().processes.stop(agentId(node('n1')));
    startAgent(lab(), node('n1'), '--etcd-config', '/run/isthmus/pki/stranger.yaml');
    const status = await statusWhen(node('n1'), 'the CA is wrong', ({ connections }) => connections['cluster etcd']?.problem !== undefined);
    expect(status.connections['cluster etcd']?.problem).toMatchObject({
      code: 'KV_UNAUTHENTICATED',
      object: expect.stringContaining(':2379'),
      action: expect.stringContaining('same CA'),
    });
    expect(readdirSync(node('n1').bpf, { recursive: true }).sort()).toEqual(before);
    await lab().processes.stop(agentId(node('n1')));
    await startReadyAgent(lab(), node('n1'));
  });

  it('no pod CIDR is left: the node waits and says why; then its tunnel port is taken, and nothing is made', async () => {
    const [east, n2] = [lab().cluster('east'), node('n2')];
    await enrol(lab(), n2);
    await isthmus(lab(), east.control, ['apply', '--context', 'east', '-f', '-'], { input: JSON.stringify(GHOST) });
    await waitUntil(
      async () =>
        (await isthmus(lab(), east.control, ['get', 'ciliumnodes', 'ghost', '--context', 'east', '-o', 'json'])).stdout.includes('10.1.0'),
      { what: 'the ghost to have a pod CIDR', timeoutMs: 20_000 },
    );
    const port = await holdUdpPort(lab(), n2, TUNNEL_PORT);
    const agent = agentToItsEnd(lab(), n2);
    const { waitingFor } = await statusWhen(n2, 'no pod CIDR is left', (status) => status.waitingFor?.includes('says') === true);
    expect(waitingFor).toMatch(/its pod CIDRs from the operator, which says IPAM_CLUSTER_EXHAUSTED: no IPv4 CIDR is free for node n2 in /);
    expect(waitingFor).toContain('10.1.0.0/29 (');
    expect(waitingFor).toContain('Add a CIDR to cluster-pool-ipv4-cidr');
    expect(await isthmus(lab(), east.control, ['delete', 'ciliumnode', 'ghost', '--context', 'east'])).toMatchObject({ status: 0 });
    const { status, stdout } = await agent;
    expect(status).toBe(EXIT_CONFIG);
    expect(lastWords(stdout).err).toMatchObject({
      code: 'NETLINK_PORT_TAKEN',
      object: `UDP port ${TUNNEL_PORT}`,
      action: expect.stringContaining('tunnel-port'),
    });
    expect(await ourDevices(lab(), n2)).toEqual([]);
    expect(existsSync(join(n2.bpf, 'isthmus'))).toBe(false);
    const preflight = await isthmus(lab(), n2, ['preflight']);
    expect(preflight.status).toBe(1);
    expect(preflight.stdout).toContain(`UDP port ${TUNNEL_PORT} for the tunnel: Find out who with`);
    await port.end();
    await startReadyAgent(lab(), n2);
  });
}

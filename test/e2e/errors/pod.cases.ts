import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  agentId,
  type CniAnswer,
  callCni,
  type Lab,
  type NodePlace,
  type PodPlace,
  ping,
  podObject,
  waitForAgent,
  waitUntil,
} from '@isthmus/lab';
import { devices, isthmus, ourDevices, startAgain } from './error-lab.ts';

/** CNI: try again later, not available, and our own errors. */
const [AGAIN, UNAVAILABLE, PLUGIN] = [11, 50, 100];
const HOST_DEVICES = ['isth_host', 'isth_net', 'isth_vxlan'];

interface CniFailure {
  readonly code: number;
  readonly msg: string;
  readonly details: string;
}

/** Pods whose agent is down, and pods for which no address is left. The pods' nodes serve pods before and after. */
export function podCases(lab: () => Lab): void {
  const n1 = (): NodePlace => lab().node('east', 'n1');
  const pod = (name: string): PodPlace => lab().pod('east', name);
  const failure = ({ status, stdout }: CniAnswer): CniFailure => {
    expect(status).toBe(1);
    return JSON.parse(stdout);
  };
  const startAgent = async (): Promise<void> => {
    startAgain(lab(), agentId(n1()), n1());
    await waitForAgent(lab().processes, n1());
  };
  /** Nothing of a pod is on the node: no address, no device, no file. */
  const expectNoTrace = async (): Promise<void> => {
    for (const name of ['a1', 'a2']) expect(await devices(lab(), pod(name))).not.toContain('eth0');
    expect((await ourDevices(lab(), n1())).sort()).toEqual(HOST_DEVICES);
    expect(endpointFiles()).toEqual([]);
  };
  const endpointFiles = (): string[] => readdirSync(join(n1().run, 'isthmus/state/endpoints'));
  const queue = (): string[] => {
    const folder = join(n1().run, 'isthmus/delete-queue');
    return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
  };

  it('ADD of a pod that nobody has applied', async () => {
    const { code, msg, details } = failure(await callCni(n1(), pod('a1'), 'ADD'));
    expect({ code, msg }).toEqual({ code: PLUGIN, msg: expect.stringMatching(/^POD_NOT_FOUND: .*default\/a1/) });
    expect(details).toContain('Apply the Pod before');
    await expectNoTrace();
    const input = ['a1', 'a2'].map((name) => JSON.stringify(podObject(pod(name)))).join('\n---\n');
    expect(await isthmus(lab(), 'east', ['apply', '--context', 'east', '-f', '-'], { input })).toMatchObject({ status: 0 });
  });

  it('ADD while the agent is down: try again later, and nothing half done', async () => {
    await lab().processes.stop(agentId(n1()));
    const { code, msg, details } = failure(await callCni(n1(), pod('a1'), 'ADD'));
    expect(code).toBe(AGAIN);
    expect(msg).toMatch(/^CNI_AGENT_UNREACHABLE: the agent does not answer at \/run\/isthmus\/isthmus\.sock: /);
    expect(details).toContain('Start the isthmus agent on this node');
    await expectNoTrace();
    await startAgent();
    await expectNoTrace();
    expect(await callCni(n1(), pod('a1'), 'ADD')).toMatchObject({ status: 0 });
    expect(await ping(lab(), n1(), '10.1.0.2')).toBe(true);
  });

  it('ADD when no address is left names the pool and its sizes, and touches nobody', async () => {
    const { code, msg, details } = failure(await callCni(n1(), pod('a2'), 'ADD'));
    expect(code).toBe(PLUGIN);
    expect(msg).toBe(
      'IPAM_POOL_EXHAUSTED: pool pod addresses: no IPv4 address is free in 10.1.0.0/30 (1 addresses: 1 in use, 0 released and kept back)',
    );
    expect(details).toContain('Delete pods on this node');
    expect(await devices(lab(), pod('a2'))).not.toContain('eth0');
    expect(endpointFiles()).toHaveLength(1);
    expect(await ourDevices(lab(), n1())).toHaveLength(HOST_DEVICES.length + 1);
    expect(await ping(lab(), n1(), '10.1.0.2')).toBe(true);
  });

  it('STATUS says so, too, until an address is free; and then the pod gets it', async () => {
    const { code, msg, details } = failure(await callCni(n1(), pod('a2'), 'STATUS'));
    expect({ code, msg }).toEqual({
      code: UNAVAILABLE,
      msg: expect.stringMatching(/^IPAM_POOL_EXHAUSTED: pool pod addresses: no IPv4 address is free/),
    });
    expect(details).toContain('Delete pods on this node');
    for (const [gone, next] of [
      ['a1', 'a2'],
      ['a2', 'a1'],
    ] as const) {
      expect(await callCni(n1(), pod(gone), 'DEL')).toMatchObject({ status: 0 });
      expect(await callCni(n1(), pod(gone), 'STATUS')).toEqual(expect.objectContaining({ status: 0, stdout: '' }));
      expect(await callCni(n1(), pod(next), 'ADD')).toMatchObject({ status: 0 });
      expect(await ping(lab(), n1(), '10.1.0.2')).toBe(true);
    }
  });

  it('DEL while the agent is down is queued and done at its start; the address serves the next pod', async () => {
    await lab().processes.stop(agentId(n1()), 'SIGKILL');
    expect(await callCni(n1(), pod('a1'), 'DEL')).toEqual(expect.objectContaining({ status: 0, stdout: '' }));
    expect(queue()).toEqual([`${pod('a1').netns}:eth0.json`]);
    // Nothing is lost meanwhile: the pod's network works until the agent takes it away.
    expect(await ping(lab(), n1(), '10.1.0.2')).toBe(true);
    await startAgent();
    await waitUntil(() => queue().length === 0, { what: 'the queue to be worked off', timeoutMs: 10_000 });
    await expectNoTrace();
    expect(await callCni(n1(), pod('a2'), 'ADD')).toMatchObject({ status: 0 });
    expect(await ping(lab(), n1(), '10.1.0.2')).toBe(true);
  });
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Lab, leftovers } from '@isthmus/lab';
import { agentCommand, appCommand, asNobody, EXIT_CONFIG, lastWords, onMachine } from './error-lab.ts';

/** A user without any right: neither capabilities nor access to files of root. */
export function rightsCases(lab: () => Lab): void {
  it('the lab needs root, and makes nothing without', async () => {
    const argv = ['scripts/with-node', '--conditions=isthmus:source', 'lab/src/main.ts', 'up', '--name', 'e2enobody'];
    const up = await onMachine(asNobody(argv));
    expect(up).toMatchObject({ status: 1, stderr: 'lab: the lab needs root\nRun the command as root. [LAB_NOT_ROOT]\n' });
    expect(leftovers('e2enobody')).toEqual([]);
  });

  it('preflight says feature by feature what the user may not', async () => {
    const { status, stdout, stderr } = await onMachine(asNobody(appCommand('cli', 'preflight')));
    expect(status).toBe(1);
    expect(stdout).toContain('user may change the network: Run as root, or give the agent CAP_NET_ADMIN.\n');
    expect(stderr).toContain('error: CLI_PREFLIGHT: the agent cannot run here without: user may load BPF programs');
    expect(stderr).toContain('what to do: Do what the table says');
  });

  it('the agent names each capability and what it is for, and makes nothing', async () => {
    const node = lab().node('east', 'n1');
    const { status, stdout } = await lab().exec(node, asNobody(agentCommand(lab().cluster('east'), node)));
    expect(status).toBe(EXIT_CONFIG);
    expect(lastWords(stdout).err).toMatchObject({
      code: 'NODE_PRIVILEGE_MISSING',
      object: 'CAP_NET_ADMIN,CAP_SYS_ADMIN,CAP_BPF',
      message: expect.stringContaining('CAP_NET_ADMIN (devices, routes, the tunnel)'),
      action: expect.stringContaining('isthmus preflight'),
    });
    // The lab's disk for the agent's state is there, and nothing on it.
    expect(readdirSync(join(node.run, 'isthmus'), { recursive: true })).toEqual(['state']);
  });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroupRoot } from '../datapath/cgroup.ts';
import { checkMembership, checkPrivileges } from './node-requirements.ts';

const bits = (...numbers: number[]): bigint => numbers.reduce((set, bit) => set | (1n << BigInt(bit)), 0n);
const [NET_ADMIN, SYS_ADMIN, BPF] = [12, 21, 39];

describe('the rights of the agent', () => {
  it('are enough with CAP_SYS_ADMIN, which stands for CAP_BPF', () => {
    expect(() => checkPrivileges(bits(NET_ADMIN, SYS_ADMIN))).not.toThrow();
  });

  it.each([
    [[], 'CAP_NET_ADMIN,CAP_SYS_ADMIN,CAP_BPF'],
    [[NET_ADMIN, BPF], 'CAP_SYS_ADMIN'],
    [[SYS_ADMIN], 'CAP_NET_ADMIN'],
  ])('with %j lack %s, and what for is said', (held, object) => {
    expect(() => checkPrivileges(bits(...held))).toThrow(
      expect.objectContaining({ code: 'NODE_PRIVILEGE_MISSING', object, message: expect.stringMatching(/lacks CAP_\w+ \(.+\)/) }),
    );
  });
});

it('refuses to be in a mesh without a name and a number', () => {
  const member = { 'cluster-name': 'east', 'cluster-id': 1, 'max-connected-clusters': '255', 'mesh-etcd-config': '/m.yaml' } as const;
  expect(() => checkMembership(member)).not.toThrow();
  expect(() => checkMembership({ ...member, 'cluster-id': 0 })).toThrow(expect.objectContaining({ code: 'MESH_CLUSTER_ID_INVALID' }));
  expect(() => checkMembership({ ...member, 'cluster-name': 'default' })).toThrow(
    expect.objectContaining({ code: 'MESH_CLUSTER_NAME_INVALID' }),
  );
  expect(() => checkMembership({ ...member, 'cluster-id': 0, 'mesh-etcd-config': '' })).not.toThrow();
});

it('refuses a cgroup root that is none, and one that is not there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-cgroup-'));
  try {
    expect(() => cgroupRoot(folder)).toThrow(expect.objectContaining({ code: 'CGROUP2_MISSING', object: folder }));
    expect(() => cgroupRoot(join(folder, 'x'))).toThrow(`cgroup-root ${join(folder, 'x')} does not exist`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

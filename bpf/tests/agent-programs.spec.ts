import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type BpfMap,
  Direction,
  DropReason,
  decodeEncryptExemptKey,
  decodeMetricKey,
  encodeIpcacheKey,
  encodeMeshRangeValue,
  getLink,
  ipcacheKeyOf,
  type Link,
  NetlinkSocket,
  sumOverCpus,
  withNetns,
} from '@isthmus/datapath';
import { ENCRYPTION_EXEMPTIONS } from '@isthmus/model';
import { type EncryptionOptions, type LoadedPrograms, startPrograms } from '../../apps/agent/src/datapath/programs.ts';
import { mountBpffs } from './bpffs.ts';
import { createCgroup } from './cgroup.ts';
import { Cleanup } from './cleanup.ts';
import { objectPath } from './datapath.ts';
import { createNetns, type TestNetns } from './netns.ts';
import { address } from './packet.ts';

const STRICT: EncryptionOptions = { ifindex: { even: 0, odd: 0 }, node: true, exempt: ENCRYPTION_EXEMPTIONS, strict: true };
const cleanup = new Cleanup();
let netns: TestNetns;
let pinFolder: string;
let cgroup: string;

beforeEach(() => {
  cgroup = cleanup.add(createCgroup('programs'), (made) => made.remove()).path;
  pinFolder = join(cleanup.add(mountBpffs(), (mount) => mount.remove()).path, 'agent');
  netns = cleanup.add(createNetns('programs'), (made) => made.remove());
  netns.ip('link add isth_host type veth peer name isth_net');
  for (const name of ['eth0', 'eth1']) {
    netns.ip(`link add ${name} type veth peer name far_${name}`);
    for (const device of [name, `far_${name}`]) netns.ip(`link set ${device} up`);
  }
});

afterEach(() => cleanup.run());

const link = (name: string): Link => NetlinkSocket.using('route', netns.path, (socket) => getLink(socket, name)) as Link;

/** Starts the programs as an agent does, which then takes the place of the one before. */
function start(encryption: EncryptionOptions | undefined, underlay: readonly string[] = ['eth0', 'eth1']): LoadedPrograms {
  const options = {
    objectDir: dirname(objectPath('pod')),
    pinFolder,
    cgroup,
    gateway: { ipv4: '10.0.0.254', ipv6: '' },
    podMtu: 1400,
    dualStack: false,
    native: false,
    maxEntries: {},
    underlay: { devices: underlay.map(link), ipv4: '192.168.77.1', ipv6: '', mtu: 1500 },
    encryption,
  };
  const devices = { host: link('isth_host'), net: link('isth_net'), tunnel: undefined };
  const programs = withNetns(netns.path, () => startPrograms(options, devices));
  return cleanup.add(programs, (loaded) => loaded.close());
}

const egressPins = (): string[] => readdirSync(pinFolder).filter((name) => name.startsWith('link_to_netdev'));
const exempt = (map: BpfMap): number[] => [...map.entries()].map(([key]) => decodeEncryptExemptKey(key).port).sort((a, b) => a - b);

/** Packets to pods of another node, of which nothing is known, that were dropped at the egress so far, after one more by this device. */
function dropped(programs: LoadedPrograms, device: string): number {
  programs
    .map('isth_mesh_ranges')
    .set(encodeIpcacheKey(ipcacheKeyOf(address('10.9.0.0'), 24)), encodeMeshRangeValue({ peer: 0, cluster: 0 }));
  netns.ip(`addr replace 10.9.0.1/24 dev ${device}`);
  netns.ip(`neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev ${device} nud permanent`);
  netns.exec(`ping -n -c 1 -W 0.1 -I ${device} 10.9.0.2`);
  netns.ip(`addr del 10.9.0.1/24 dev ${device}`);
  const rows = [...programs.map('isth_metrics').entries()].map(([key, value]) => ({ ...decodeMetricKey(key), ...sumOverCpus(value) }));
  return rows.find((row) => row.reason === DropReason.unencryptedTraffic && row.direction === Direction.egress)?.packets ?? 0;
}

describe('programs of an agent', () => {
  it('let packets out as they are without encryption', () => {
    expect(dropped(start(undefined), 'eth0')).toBe(0);
    expect(egressPins()).toEqual([]);
  });

  it('let none out as it is with encryption, by no device of the underlay, from one agent to the next', () => {
    for (const agent of [0, 1]) {
      const programs = start(STRICT);
      expect([dropped(programs, 'eth0'), dropped(programs, 'eth1')]).toEqual([2 * agent + 1, 2 * agent + 2]);
    }
    expect(exempt(start({ ...STRICT, exempt: [{ protocol: 'TCP', ports: [2379], purpose: 'etcd' }] }).map('isth_encrypt_exempt'))).toEqual([
      2379,
    ]);
  });

  it('let them out again when the next agent does not encrypt, also by a device that is not of the underlay any more', () => {
    start(STRICT);
    const programs = start(undefined, ['eth0']);
    expect(egressPins()).toEqual([]);
    expect([dropped(programs, 'eth0'), dropped(programs, 'eth1')]).toEqual([0, 0]);
  });

  it('pass what cannot be encrypted while the mesh is not strict', () => {
    expect(dropped(start({ ...STRICT, strict: false }), 'eth0')).toBe(0);
    expect(egressPins()).toHaveLength(2);
  });
});

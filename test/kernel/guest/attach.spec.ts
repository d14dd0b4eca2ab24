import { release } from 'node:os';
import { join } from 'node:path';
import {
  attachEgress,
  attachIngress,
  BpfObject,
  ConfigFlag,
  Direction,
  DropReason,
  detachEgress,
  detachIngress,
  kernelHasTcx,
  SOCKET_HOOKS,
  withNetns,
} from '@isthmus/datapath';
import { mountBpffs } from '../../../bpf/tests/bpffs.ts';
import { Cleanup } from '../../../bpf/tests/cleanup.ts';
import { configBytes, Datapath, objectPath } from '../../../bpf/tests/datapath.ts';
import { createNetns } from '../../../bpf/tests/netns.ts';

const IFINDEX = 70;
/** They came with Linux 6.6. */
const [major = 0, minor = 0] = release().split('.').map(Number);
const HAS_TCX = major > 6 || (major === 6 && minor >= 6);
/** How a program comes to a device for the first time, and how another one takes its place. */
const [FIRST, NEXT] = HAS_TCX ? (['created', 'updated'] as const) : (['clsact', 'clsact'] as const);
const cleanup = new Cleanup();

afterEach(() => cleanup.run());

it('every object loads, with every program', () => {
  const programs = ['pod', 'host', 'netdev', 'egress', 'overlay', 'geneve', 'sock'].flatMap((name) =>
    cleanup.add(BpfObject.load({ path: objectPath(name), config: configBytes() }), (object) => object.close()).programs(),
  );
  expect(programs).toHaveLength(6 + SOCKET_HOOKS.length);
});

it('it is known whether the kernel has TCX', () => {
  expect(kernelHasTcx()).toBe(HAS_TCX);
});

it('programs come to devices as the kernel can have them, by clsact where there is no TCX: attached, swapped in place, detached', () => {
  const { path } = cleanup.add(mountBpffs(), (mount) => mount.remove());
  const netns = cleanup.add(createNetns('old'), (made) => made.remove());
  netns.ip(`link add pod0 index ${IFINDEX} type veth peer name peer0`);
  for (const device of ['pod0', 'peer0']) netns.ip(`link set ${device} up`);
  netns.ip('addr add 10.9.0.1/24 dev peer0');
  netns.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev peer0 nud permanent');
  const [first, second] = [1, 2].map(() => cleanup.add(new Datapath('pod'), (loaded) => loaded.close())) as [Datapath, Datapath];
  const attachment = (datapath: Datapath) => ({
    programFd: datapath.object.program('from_pod'),
    ifindex: IFINDEX,
    pin: join(path, 'link'),
  });
  const knock = (): string => netns.exec('ping -c 1 -W 0.2 10.9.0.2');
  const counted = (datapath: Datapath): number => datapath.metric(DropReason.invalidSource, Direction.egress).packets;

  expect(withNetns(netns.path, () => attachIngress(attachment(first)))).toBe(FIRST);
  knock();
  expect(counted(first)).toBe(1);
  expect(withNetns(netns.path, () => attachIngress(attachment(second)))).toBe(NEXT);
  knock();
  expect([counted(first), counted(second)]).toEqual([1, 1]);
  withNetns(netns.path, () => detachIngress(attachment(second), NEXT));
  knock();
  expect(counted(second)).toBe(1);
});

it('and at the egress: attached, swapped in place by another agent, detached', () => {
  const { path } = cleanup.add(mountBpffs(), (mount) => mount.remove());
  const netns = cleanup.add(createNetns('out'), (made) => made.remove());
  netns.ip(`link add under index ${IFINDEX} type veth peer name far`);
  for (const device of ['under', 'far']) netns.ip(`link set ${device} up`);
  netns.ip('addr add 10.9.0.1/24 dev under');
  netns.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev under nud permanent');
  const load = (): Datapath => {
    const flags = ConfigFlag.encrypt | ConfigFlag.encryptStrict;
    const datapath = cleanup.add(new Datapath('egress', { flags }), (loaded) => loaded.close());
    datapath.meshRange('10.9.0.0', 24, 0);
    return datapath;
  };
  const [first, second] = [load(), load()];
  const place = { ifindex: IFINDEX, pin: join(path, 'link_out') };
  const attach = (datapath: Datapath) =>
    withNetns(netns.path, () => attachEgress({ ...place, programFd: datapath.object.program('to_netdev') }));
  const dropped = () => {
    netns.exec('ping -c 1 -W 0.2 10.9.0.2');
    return [first, second].map((datapath) => datapath.metric(DropReason.unencryptedTraffic, Direction.egress).packets);
  };

  expect(attach(first)).toBe(FIRST);
  expect(dropped()).toEqual([1, 0]);
  expect(attach(second)).toBe(NEXT);
  expect(dropped()).toEqual([1, 1]);
  withNetns(netns.path, () => detachEgress(place));
  withNetns(netns.path, () => detachEgress(place));
  expect(dropped()).toEqual([1, 1]);
});

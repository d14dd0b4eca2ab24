import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Direction, DropReason, kernelHasTcx, PodProgramSink, withNetns } from '@isthmus/datapath';
import { type Bpffs, mountBpffs } from './bpffs.ts';
import { Cleanup } from './cleanup.ts';
import { Datapath } from './datapath.ts';
import { createNetns, type TestNetns } from './netns.ts';

const IFINDEX = 71;
const onTcx = kernelHasTcx() ? it : it.skip;
const cleanup = new Cleanup();
let netns: TestNetns;
let bpffs: Bpffs;

beforeEach(() => {
  bpffs = cleanup.add(mountBpffs(), (mount) => mount.remove());
  netns = cleanup.add(createNetns('podprog'), (made) => made.remove());
  netns.ip(`link add pod0 index ${IFINDEX} type veth peer name peer0`);
  for (const device of ['pod0', 'peer0']) netns.ip(`link set ${device} up`);
  netns.ip('addr add 10.9.0.1/24 dev peer0');
  netns.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev peer0 nud permanent');
});

afterEach(() => cleanup.run());

/** Attaches a new copy of the program. */
function attach(tcx: boolean): Datapath {
  const datapath = cleanup.add(new Datapath('pod'), (each) => each.close());
  const sink = new PodProgramSink({ programFd: datapath.object.program('from_pod'), pinFolder: bpffs.path, tcx });
  const failures = withNetns(netns.path, () => sink.update([{ key: 'pod0', row: { ifindex: IFINDEX } }]));
  expect([...failures]).toEqual([]);
  return datapath;
}

/** How often a packet from an address that is no endpoint, which is dropped and counted, met each of the programs. */
function knock(...datapaths: Datapath[]): number[] {
  netns.exec('ping -c 1 -W 0.1 10.9.0.2');
  return datapaths.map((each) => each.metric(DropReason.invalidSource, Direction.egress).packets);
}

const qdiscs = (): string => netns.exec('tc qdisc show dev pod0');
const filters = (): string => netns.exec('tc filter show dev pod0 ingress').trim();
const pinned = (): boolean => existsSync(join(bpffs.path, 'link_pod_pod0'));

describe('PodProgramSink', () => {
  it('attaches by clsact, and swaps the program in place', () => {
    const first = attach(false);
    expect(knock(first)).toEqual([1]);
    expect(knock(first, attach(false))).toEqual([1, 1]);
    expect(qdiscs()).toContain('clsact');
    expect(pinned()).toBe(false);
  });

  onTcx('where the kernel has TCX, takes over from the link of an earlier agent, and back', () => {
    const earlier = attach(true);
    expect([knock(earlier), pinned(), qdiscs().includes('clsact')]).toEqual([[1], true, false]);
    const now = attach(false);
    expect([knock(earlier, now), pinned()]).toEqual([[1, 1], false]);
    expect([knock(now, attach(true)), pinned(), filters()]).toEqual([[1, 1], true, '']);
  });
});

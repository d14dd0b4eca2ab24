import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attachIngress, BPF_ATTACH, BpfMap, Direction, DropReason, decodeMetricKey, detachIngress, withNetns } from '@isthmus/datapath';
import { attachClsact, detachClsact } from '../../libs/datapath/src/adapters/bpf/clsact.ts';
import { pinObject } from '../../libs/datapath/src/adapters/bpf/syscall.ts';
import { mountBpffs } from './bpffs.ts';
import { Cleanup } from './cleanup.ts';
import { Datapath } from './datapath.ts';
import { createNetns, type TestNetns } from './netns.ts';

const IFINDEX = 70;
let netns: TestNetns;
let first: Datapath;
let second: Datapath;
let pin: string;

const cleanup = new Cleanup();

beforeEach(() => {
  const bpffs = cleanup.add(mountBpffs(), (mount) => mount.remove());
  pin = join(bpffs.path, 'link_a');
  netns = cleanup.add(createNetns('link'), (made) => made.remove());
  addDevice();
  first = load();
  second = load();
});

afterEach(() => cleanup.run());

function load(): Datapath {
  return cleanup.add(new Datapath('pod'), (datapath) => datapath.close());
}

function addDevice(): void {
  netns.ip(`link add pod0 index ${IFINDEX} type veth peer name peer0`);
  netns.ip('link set pod0 up');
  netns.ip('link set peer0 up');
  netns.ip('addr add 10.9.0.1/24 dev peer0');
}

/** A packet into `pod0`: from an address that is no endpoint, so the program that runs counts a drop. */
function knock(): void {
  netns.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev peer0 nud permanent');
  netns.exec('ping -c 1 -W 0.1 10.9.0.2');
}

const counted = (datapath: Datapath): number => datapath.metric(DropReason.invalidSource, Direction.egress).packets;
const attach = (datapath: Datapath, ifindex = IFINDEX) =>
  withNetns(netns.path, () => attachIngress({ programFd: datapath.object.program('from_pod'), ifindex, pin }));

describe('attachIngress', () => {
  it('attaches, then swaps the program in place', () => {
    expect(attach(first)).toBe('created');
    knock();
    expect([counted(first), counted(second)]).toEqual([1, 0]);
    expect(attach(second)).toBe('updated');
    knock();
    expect([counted(first), counted(second)]).toEqual([1, 1]);
  });

  it('leaves the program in place when the process that loaded it lets go', () => {
    attach(first);
    const pinned = join(pin, '..', 'metrics');
    pinObject(first.object.map('isth_metrics').fd, pinned);
    first.object.close();
    knock();
    const metrics = cleanup.add(BpfMap.open(pinned, 'isth_metrics'), (map) => map.close());
    expect([...metrics.entries()].map(([key]) => decodeMetricKey(key).reason)).toContain(DropReason.invalidSource);
    first = load();
    expect(attach(first)).toBe('updated');
  });

  it('makes a new link when the device of the old one is gone', () => {
    attach(first);
    netns.ip('link del pod0');
    addDevice();
    expect(attach(second)).toBe('created');
    knock();
    expect(counted(second)).toBe(1);
  });

  it('moves to another device', () => {
    attach(first);
    netns.ip('link add pod1 index 71 type veth peer name peer1');
    expect(attach(second, 71)).toBe('created');
    knock();
    expect([counted(first), counted(second)]).toEqual([0, 0]);
  });

  it('detaches by removing the pin, also twice', () => {
    const attachment = { programFd: first.object.program('from_pod'), ifindex: IFINDEX, pin };
    attach(first);
    detachIngress(attachment, 'created');
    detachIngress(attachment, 'created');
    expect(existsSync(pin)).toBe(false);
    knock();
    expect(counted(first)).toBe(0);
  });

  it('says that the device is not there', () => {
    expect(() => attach(first, 999)).toThrow(expect.objectContaining({ code: BPF_ATTACH.code }));
    expect(existsSync(pin)).toBe(false);
  });
});

describe('clsact', () => {
  it('attaches, replaces and detaches where the kernel has no TCX', () => {
    withNetns(netns.path, () => attachClsact(IFINDEX, first.object.program('from_pod')));
    knock();
    withNetns(netns.path, () => attachClsact(IFINDEX, second.object.program('from_pod')));
    knock();
    expect([counted(first), counted(second)]).toEqual([1, 1]);
    withNetns(netns.path, () => detachClsact(IFINDEX));
    withNetns(netns.path, () => detachClsact(IFINDEX));
    knock();
    expect(counted(second)).toBe(1);
  });
});

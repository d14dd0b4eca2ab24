import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attachIngress, BPF_ATTACH, Direction, DropReason, detachIngress, withNetns } from '@isthmus/datapath';
import { attachClsact, detachClsact } from '../../libs/datapath/src/adapters/bpf/clsact.ts';
import { type Bpffs, mountBpffs } from './bpffs.ts';
import { Datapath } from './datapath.ts';
import { createNetns, type TestNetns } from './netns.ts';

const IFINDEX = 70;
let bpffs: Bpffs;
let netns: TestNetns;
let first: Datapath;
let second: Datapath;
let pin: string;

beforeEach(() => {
  bpffs = mountBpffs();
  pin = join(bpffs.path, 'link_a');
  netns = createNetns('link');
  addDevice();
  first = new Datapath('pod');
  second = new Datapath('pod');
});

afterEach(() => {
  first.close();
  second.close();
  netns.remove();
  bpffs.remove();
});

function addDevice(): void {
  netns.ip(`link add a index ${IFINDEX} type veth peer name b`);
  netns.ip('link set a up');
  netns.ip('link set b up');
  netns.ip('addr add 10.9.0.1/24 dev b');
}

/** A packet into `a`: from an address that is no endpoint, so the program that runs counts a drop. */
function knock(): void {
  netns.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev b nud permanent');
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
    const map = first.object.map('isth_metrics');
    expect(map.info.type).toBe(5);
    second.close();
    second = new Datapath('pod');
    expect(attach(second)).toBe('updated');
  });

  it('makes a new link when the device of the old one is gone', () => {
    attach(first);
    netns.ip('link del a');
    addDevice();
    expect(attach(second)).toBe('created');
    knock();
    expect(counted(second)).toBe(1);
  });

  it('moves to another device', () => {
    attach(first);
    netns.ip('link add c index 71 type veth peer name d');
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

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  attachEgress,
  attachIngress,
  BPF_ATTACH,
  BpfMap,
  ConfigFlag,
  Direction,
  DropReason,
  decodeMetricKey,
  detachEgress,
  detachIngress,
  withNetns,
} from '@isthmus/datapath';
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

describe('attachEgress', () => {
  let sender: { first: Datapath; second: Datapath };

  /** Programs that drop what leaves for 10.9.0.0/24: there are pods of another node, and no way that may be used. */
  function loadEgress(): Datapath {
    const flags = ConfigFlag.encrypt | ConfigFlag.encryptStrict;
    const datapath = cleanup.add(new Datapath('egress', { flags }), (loaded) => loaded.close());
    datapath.meshRange('10.9.0.0', 24, 0);
    return datapath;
  }

  beforeEach(() => {
    sender = { first: loadEgress(), second: loadEgress() };
  });

  const egressOf = (datapath: Datapath) => datapath.object.program('to_netdev');
  const attachOut = (datapath: Datapath) =>
    withNetns(netns.path, () => attachEgress({ programFd: egressOf(datapath), ifindex: IFINDEX, pin }));
  const detachOut = () => withNetns(netns.path, () => detachEgress({ ifindex: IFINDEX, pin }));

  /** A packet out of `pod0`; says which programs dropped it. */
  function leave(): { first: number; second: number } {
    netns.ip('addr replace 10.9.0.3/24 dev pod0');
    netns.ip('neigh replace 10.9.0.4 lladdr 02:00:00:00:00:01 dev pod0 nud permanent');
    netns.exec('ping -c 1 -W 0.1 -I pod0 10.9.0.4');
    const dropped = (datapath: Datapath) => datapath.metric(DropReason.unencryptedTraffic, Direction.egress).packets;
    return { first: dropped(sender.first), second: dropped(sender.second) };
  }

  it('attaches, beside a program at the ingress, swaps in place, and detaches', () => {
    attach(first);
    const [pinned, ingressPin] = [`${pin}_out`, pin];
    pin = pinned;
    expect(attachOut(sender.first)).toBe('created');
    expect(leave()).toEqual({ first: 1, second: 0 });
    expect(attachOut(sender.second)).toBe('updated');
    expect(leave()).toEqual({ first: 1, second: 1 });
    detachOut();
    detachOut();
    expect([existsSync(pinned), existsSync(ingressPin)]).toEqual([false, true]);
    expect(leave()).toEqual({ first: 1, second: 1 });
    knock();
    expect(counted(first)).toBe(1);
  });

  it('takes away at the clsact qdisc what it put there itself, and nobody else’s', () => {
    withNetns(netns.path, () => attachClsact(IFINDEX, egressOf(sender.first), 'egress'));
    detachOut();
    expect(leave()).toEqual({ first: 1, second: 0 });
    pinObject(egressOf(sender.first), `${pin}_clsact`);
    detachOut();
    detachOut();
    expect([existsSync(`${pin}_clsact`), leave()]).toEqual([false, { first: 1, second: 0 }]);
  });
});

describe('clsact', () => {
  it('attaches, replaces and detaches where the kernel has no TCX', () => {
    withNetns(netns.path, () => attachClsact(IFINDEX, first.object.program('from_pod'), 'ingress'));
    knock();
    withNetns(netns.path, () => attachClsact(IFINDEX, second.object.program('from_pod'), 'ingress'));
    knock();
    expect([counted(first), counted(second)]).toEqual([1, 1]);
    withNetns(netns.path, () => detachClsact(IFINDEX, 'ingress'));
    withNetns(netns.path, () => detachClsact(IFINDEX, 'ingress'));
    knock();
    expect(counted(second)).toBe(1);
  });
});

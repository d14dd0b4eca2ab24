import { join } from 'node:path';
import { attachXdp, BPF_XDP_TAKEN, Direction, DropReason, detachXdp, withNetns } from '@isthmus/datapath';
import { mountBpffs } from './bpffs.ts';
import { Cleanup } from './cleanup.ts';
import { Datapath } from './datapath.ts';
import { createNetns, type TestNetns } from './netns.ts';

const VETH = 70;
const BRIDGE = 71;
/** A source address that only XDP itself may write: whichever program sees it counts a drop. */
const FORGED_MAC = '76:6e:69:00:00:01';

const cleanup = new Cleanup();
let netns: TestNetns;
let first: Datapath;
let second: Datapath;
let folder: string;

beforeEach(() => {
  folder = cleanup.add(mountBpffs(), (mount) => mount.remove()).path;
  netns = cleanup.add(createNetns('xdp'), (made) => made.remove());
  addVeth();
  netns.ip(`link add bridge0 index ${BRIDGE} type bridge`);
  first = load();
  second = load();
});

afterEach(() => cleanup.run());

function addVeth(): void {
  netns.ip(`link add veth0 index ${VETH} type veth peer name peer0`);
  netns.ip(`link set peer0 address ${FORGED_MAC}`);
  netns.ip('link set veth0 up');
  netns.ip('link set peer0 up');
  netns.ip('addr add 10.9.0.1/24 dev peer0');
}

function load(): Datapath {
  return cleanup.add(new Datapath('geneve'), (datapath) => datapath.close());
}

function knock(): void {
  netns.ip('neigh replace 10.9.0.2 lladdr 02:00:00:00:00:01 dev peer0 nud permanent');
  netns.exec('ping -c 1 -W 0.1 10.9.0.2');
}

/** Whether a knock comes to be one that the first program does not count: the kernel ends a link that has no pin any more in its own time. */
function isUnseen(knocks = 20): boolean {
  const before = counted(first);
  knock();
  return counted(first) === before || (knocks > 1 && isUnseen(knocks - 1));
}

const counted = (datapath: Datapath): number => datapath.metric(DropReason.invalidIdentity, Direction.ingress).packets;
const attach = (datapath: Datapath, ifindex: number, pin = 'link') =>
  withNetns(netns.path, () => attachXdp({ programFd: datapath.object.program('decap_geneve'), ifindex, pin: join(folder, pin) }));

it('attaches natively, swaps in place, and outlives whoever attached it', () => {
  expect(attach(first, VETH)).toBe('native');
  knock();
  expect(counted(first)).toBeGreaterThan(0);
  expect(attach(second, VETH)).toBe('native');
  const before = counted(first); // Not any sooner: the host speaks IPv6 on the cable whenever it likes.
  knock();
  expect(counted(second)).toBeGreaterThan(0);
  expect(counted(first)).toBe(before);
});

it('falls back to generic where the driver cannot, and stays there', () => {
  expect(attach(first, BRIDGE)).toBe('generic');
  expect(attach(second, BRIDGE)).toBe('generic');
});

it('attaches anew when the device was made anew, and detaches', () => {
  attach(first, VETH);
  netns.ip('link del veth0');
  addVeth();
  expect(attach(first, VETH)).toBe('native');
  knock();
  expect(counted(first)).toBeGreaterThan(0);
  detachXdp(join(folder, 'link'));
  detachXdp(join(folder, 'link'));
  expect(isUnseen()).toBe(true);
});

it.each([VETH, BRIDGE])('takes the place of nobody else (%i)', (ifindex) => {
  attach(first, ifindex, 'somebody');
  expect(() => attach(second, ifindex)).toThrow(expect.objectContaining({ code: BPF_XDP_TAKEN.code }));
});

import { join } from 'node:path';
import { attachEgress, ConfigFlag, PeerMode, PeerTx, withNetns } from '@isthmus/datapath';
import { mountBpffs } from '../../../bpf/tests/bpffs.ts';
import { Cleanup } from '../../../bpf/tests/cleanup.ts';
import { Datapath } from '../../../bpf/tests/datapath.ts';
import { createNetns, type TestNetns } from '../../../bpf/tests/netns.ts';

const UNDER = 70;
const DEVICES = { even: 81, odd: 82 } as const;
const cleanup = new Cleanup();
let netns: TestNetns;
let datapath: Datapath;

beforeEach(() => {
  const { path } = cleanup.add(mountBpffs(), (mount) => mount.remove());
  netns = cleanup.add(createNetns('enc'), (made) => made.remove());
  netns.ip(`link add under index ${UNDER} type veth peer name far`);
  for (const [name, index] of Object.entries(DEVICES)) netns.ip(`link add ${name} index ${index} type wireguard`);
  for (const device of ['under', 'far', 'even', 'odd']) netns.ip(`link set ${device} up`);
  netns.ip('addr add 10.9.0.1/24 dev under');
  netns.ip('addr add fd09::1/64 dev under nodad');
  for (const ip of ['10.9.0.2', 'fd09::2']) netns.ip(`neigh replace ${ip} lladdr 02:00:00:00:00:01 dev under nud permanent`);
  const flags = ConfigFlag.encrypt | ConfigFlag.encryptStrict;
  const indexes = { wireguardEvenIfindex: DEVICES.even, wireguardOddIfindex: DEVICES.odd };
  datapath = cleanup.add(new Datapath('egress', { flags, ...indexes }), (loaded) => loaded.close());
  datapath.meshRange('10.9.0.0', 24, 5);
  datapath.meshRange('fd09::', 64, 5);
  const programFd = datapath.object.program('to_netdev');
  withNetns(netns.path, () => attachEgress({ programFd, ifindex: UNDER, pin: join(path, 'link') }));
});

afterEach(() => cleanup.run());

/** Packets that a WireGuard device could not send, because it has no peers. */
function refused(device: keyof typeof DEVICES): number {
  const [link] = JSON.parse(netns.exec(`ip -j -s link show dev ${device}`)) as { stats64: { tx: { errors: number } } }[];
  return link?.stats64.tx.errors ?? -1;
}

it.each(['10.9.0.2', 'fd09::2'])('a packet goes into the device that the peer says, as the IP packet that it wants (%s)', (to) => {
  for (const [device, other] of [
    ['even', 'odd'],
    ['odd', 'even'],
  ] as const) {
    datapath.peer(5, '172.16.0.2', PeerMode.native, PeerTx[device]);
    const before = { [device]: refused(device), [other]: refused(other) };
    // The device answers so only to what it has taken for an IP packet.
    expect(netns.exec(`ping -n -c 1 -W 1 ${to}`)).toMatch(/unreachable/i);
    expect({ [device]: refused(device), [other]: refused(other) }).toEqual({ ...before, [device]: before[device]! + 1 });
  }
  expect(datapath.events()).toEqual([]);
});

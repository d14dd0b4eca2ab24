import { execFileSync } from 'node:child_process';
import { deleteLink, ensureWireguard, getLink, NetlinkSocket } from '../../libs/datapath/src/adapters/netlink/index.ts';
import { withNetns } from '../../libs/datapath/src/adapters/netns.ts';
import { raiseSocketBuffers } from '../../libs/datapath/src/adapters/socket-buffers.ts';
import { ensureTun } from '../../libs/datapath/src/adapters/tun.ts';
import { startInside } from './child.ts';

const NODE = `isthwgd-${process.pid}`;
const path = `/run/netns/${NODE}`;
const device = { name: 'isth_wg_even', mtu: 1440, txQueueLength: 10_000, altnames: ['cilium_wg0'] };

/** What `ip` says of a device: the oracle. */
const linkNamed = (name: string) => JSON.parse(execFileSync('ip', ['-n', NODE, '-j', '-d', 'link', 'show', 'dev', name]).toString())[0];
const code = (fn: () => unknown): string | undefined => {
  try {
    fn();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return undefined;
};

let socket: NetlinkSocket;

beforeEach(() => {
  execFileSync('ip', ['netns', 'add', NODE]);
  socket = NetlinkSocket.open('route', path);
});

afterEach(() => {
  socket.close();
  execFileSync('ip', ['netns', 'del', NODE]);
});

describe('a TUN device', () => {
  it('stays without anybody who serves it, and is the same one when it is asked for again', () => {
    const made = withNetns(path, () => ensureTun(socket, device));
    expect(linkNamed('isth_wg_even')).toMatchObject({
      mtu: 1440,
      txqlen: 10_000,
      altnames: ['cilium_wg0'],
      linkinfo: { info_kind: 'tun' },
    });
    expect(linkNamed('isth_wg_even').linkinfo.info_data).toMatchObject({ type: 'tun', pi: false, persist: true });
    expect(withNetns(path, () => ensureTun(socket, { ...device, mtu: 1408 }))).toMatchObject({ index: made.index, mtu: 1408, up: true });
    deleteLink(socket, 'isth_wg_even');
    expect(getLink(socket, 'isth_wg_even')).toBeUndefined();
  });

  it('is not taken from somebody else', () => {
    execFileSync('ip', ['-n', NODE, 'link', 'add', 'isth_wg_even', 'type', 'bridge']);
    expect(code(() => withNetns(path, () => ensureTun(socket, device)))).toBe('NETLINK_CONFLICT');
  });
});

describe('a WireGuard device', () => {
  it('is the kernel’s, or the kernel says that it has none', () => {
    const refused = code(() => ensureWireguard(socket, device));
    if (refused === undefined) expect(linkNamed('isth_wg_even')).toMatchObject({ mtu: 1440, linkinfo: { info_kind: 'wireguard' } });
    else expect([refused, getLink(socket, 'isth_wg_even')]).toEqual(['NETLINK_UNSUPPORTED', undefined]);
  });
});

describe('socket buffers of another process', () => {
  it('have the room that was asked for, whatever the limits', async () => {
    const owner = await startInside(
      NODE,
      `const s = require('dgram').createSocket('udp4');
       s.bind(5555, () => { console.log(process.pid); process.stdin.on('data', () => 0);
         setInterval(() => { if (s.getRecvBufferSize() > 3e7) { console.log(s.getRecvBufferSize()); process.exit(); } }, 5); });`,
    );
    expect(raiseSocketBuffers(Number(owner.line), 16 << 20)).toBeGreaterThan(0);
    // The kernel counts twice what is asked for.
    expect(Number(await owner.next())).toBe(32 << 20);
    await owner.stop();
  });

  it('are not to be had of a process that is gone', () => {
    expect(code(() => raiseSocketBuffers(2 ** 22 - 1, 1))).toBe('NETLINK_ABSENT');
  });
});

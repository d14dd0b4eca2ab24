import { execFileSync } from 'node:child_process';
import * as nl from '../../libs/datapath/src/adapters/netlink/index.ts';
import { withNetns } from '../../libs/datapath/src/adapters/netns.ts';
import { isUdpPortFree } from '../../libs/datapath/src/adapters/udp-port.ts';
import { startInside } from './child.ts';

const NODE = `isthtun-${process.pid}`;
const path = `/run/netns/${NODE}`;

/** What `ip` says of a device: the oracle. */
const linkNamed = (name: string) => JSON.parse(execFileSync('ip', ['-n', NODE, '-j', '-d', 'link', 'show', 'dev', name]).toString())[0];
const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'nothing thrown';
};

let socket: nl.NetlinkSocket;

beforeEach(() => {
  execFileSync('ip', ['netns', 'add', NODE]);
  socket = nl.NetlinkSocket.open('route', path);
});

afterEach(() => {
  socket.close();
  execFileSync('ip', ['netns', 'del', NODE]);
});

describe('vxlan', () => {
  const device: nl.TunnelDevice = { name: 'isth_vxlan', port: 8472, mtu: 1450, mac: '02:00:00:00:00:05', altnames: ['cilium_vxlan'] };

  it('collects metadata, for both families, with and without checksums', () => {
    const link = nl.ensureVxlan(socket, device);
    nl.setLink(socket, link.index, { up: true });
    const seen = linkNamed('isth_vxlan');
    expect(seen).toMatchObject({ mtu: 1450, address: '02:00:00:00:00:05', altnames: ['cilium_vxlan'] });
    expect(seen.linkinfo).toMatchObject({
      info_kind: 'vxlan',
      info_data: { external: true, port: 8472, learning: false, udp_csum: true, udp_zero_csum6_tx: true, udp_zero_csum6_rx: true },
    });
    const listening = execFileSync('ip', ['netns', 'exec', NODE, 'ss', '-Hluna', 'sport = 8472']).toString();
    expect(listening).toContain('0.0.0.0:8472');
    expect(listening).toMatch(/\*:8472|\[::\]:8472/);
  });

  it('again is fine; with another port it is a conflict', () => {
    const link = nl.ensureVxlan(socket, device);
    expect(nl.ensureVxlan(socket, { ...device, mtu: 1400 })).toMatchObject({ index: link.index, mtu: 1400 });
    expect(code(() => nl.ensureVxlan(socket, { ...device, port: 4789 }))).toBe('NETLINK_CONFLICT');
  });

  it('says when the port belongs to another device, or to a process', async () => {
    nl.ensureVxlan(socket, device);
    expect(code(() => nl.ensureVxlan(socket, { name: 'isth_two', port: 8472 }))).toBe('NETLINK_PORT_TAKEN');
    nl.deleteLink(socket, 'isth_vxlan');
    const owner = await startInside(NODE, "const u = require('dgram').createSocket('udp4'); u.bind(8472, () => console.log('bound'))");
    expect(owner.line).toBe('bound');
    nl.ensureVxlan(socket, device);
    expect(code(() => nl.setLink(socket, 'isth_vxlan', { up: true }))).toBe('NETLINK_PORT_TAKEN');
    await owner.stop();
  });
});

/** What the kernel has is tried, not asked: without the device everything else goes on in the kernel tier. */
describe('geneve', () => {
  const device: nl.TunnelDevice = { name: 'isth_geneve', port: 6081, mtu: 1450, mac: '02:00:00:00:00:06', altnames: ['cilium_geneve'] };
  const known = ((): boolean => {
    try {
      execFileSync('unshare', ['-n', 'ip', 'link', 'add', 'type', 'geneve', 'external'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();

  if (!known)
    it('is unsupported by this kernel, and that is what the error says', () => {
      expect(code(() => nl.ensureGeneve(socket, device))).toBe('NETLINK_UNSUPPORTED');
      expect(nl.getLink(socket, 'isth_geneve')).toBeUndefined();
    });
  else {
    it('collects metadata, for both families, with and without checksums; again is fine', () => {
      const link = nl.ensureGeneve(socket, device);
      nl.setLink(socket, link.index, { up: true });
      const seen = linkNamed('isth_geneve');
      expect(seen).toMatchObject({ mtu: 1450, address: '02:00:00:00:00:06', altnames: ['cilium_geneve'] });
      expect(seen.linkinfo).toMatchObject({ info_kind: 'geneve', info_data: { external: true, port: 6081, udp_zero_csum6_rx: true } });
      expect(nl.ensureGeneve(socket, { ...device, mtu: 1400 })).toMatchObject({ index: link.index, mtu: 1400 });
      expect(code(() => nl.ensureGeneve(socket, { ...device, port: 6082 }))).toBe('NETLINK_CONFLICT');
    });

    it('says when the port belongs to another device, or to a process', async () => {
      execFileSync('ip', ['-n', NODE, 'link', 'add', 'foreign', 'type', 'geneve', 'external']);
      expect(code(() => nl.ensureGeneve(socket, device))).toBe('NETLINK_PORT_TAKEN');
      execFileSync('ip', ['-n', NODE, 'link', 'del', 'foreign']);
      execFileSync('ip', ['-n', NODE, 'link', 'add', 'foreign', 'type', 'geneve', 'id', '7', 'remote', '192.0.2.1']);
      expect(code(() => nl.ensureGeneve(socket, device))).toBe('NETLINK_PORT_TAKEN');
      execFileSync('ip', ['-n', NODE, 'link', 'del', 'foreign']);
      const owner = await startInside(NODE, "const u = require('dgram').createSocket('udp4'); u.bind(6081, () => console.log('bound'))");
      nl.ensureGeneve(socket, device);
      expect(code(() => nl.setLink(socket, 'isth_geneve', { up: true }))).toBe('NETLINK_PORT_TAKEN');
      await owner.stop();
    });
  }
});

describe('a UDP port', () => {
  const free = (port: number): boolean => withNetns(path, () => isUdpPortFree(port));

  it.each(['udp4', 'udp6'])('is not free while somebody has it, over %s', async (type) => {
    const options = `{ type: '${type}'${type === 'udp6' ? ', ipv6Only: true' : ''} }`;
    const script = `const u = require('dgram').createSocket(${options}); u.bind(6081, () => console.log('bound'))`;
    expect(free(6081)).toBe(true);
    const owner = await startInside(NODE, script);
    expect(owner.line).toBe('bound');
    expect(free(6081)).toBe(false);
    await owner.stop();
    expect(free(6081)).toBe(true);
  });

  it('is not free while a tunnel device has it', () => {
    const { index } = nl.ensureVxlan(socket, { name: 'isth_vxlan', port: 8472 });
    expect(free(8472)).toBe(true);
    nl.setLink(socket, index, { up: true });
    expect(free(8472)).toBe(false);
  });
});

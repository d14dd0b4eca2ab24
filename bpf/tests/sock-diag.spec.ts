import { execFileSync } from 'node:child_process';
import * as nl from '../../libs/datapath/src/adapters/netlink/index.ts';
import { startInside } from './child.ts';

const NODE = `isthdg-${process.pid}`;
const path = (name: string): string => `/run/netns/${name}`;

beforeEach(() => execFileSync('ip', ['netns', 'add', NODE]));
afterEach(() => execFileSync('ip', ['netns', 'del', NODE]));

describe('sock-diag', () => {
  let diag: nl.NetlinkSocket;
  beforeEach(() => {
    nl.NetlinkSocket.using('route', path(NODE), (socket) => nl.setLink(socket, 'lo', { up: true }));
    diag = nl.NetlinkSocket.open('sock-diag', path(NODE));
  });
  afterEach(() => diag.close());

  /** Listens and connects to itself through `host`; says both ports; then waits for what happens to the client. */
  const tcp = (host: string) => `
    const net = require('net');
    const server = net.createServer((s) => s.on('error', () => {})).listen(0, '::', () => {
      const client = net.connect(server.address().port, '${host}');
      client.on('connect', () => console.log(JSON.stringify({ port: server.address().port, sourcePort: client.localPort })));
      client.on('error', (e) => console.log(e.code));
    });`;
  const udp = `
    const u = require('dgram').createSocket('udp4');
    u.on('error', (e) => console.log(e.code));
    u.connect(5353, '127.0.0.1', () => console.log(JSON.stringify({ port: 5353, sourcePort: u.address().port })));`;

  const cases: [string, string, nl.SocketProtocol, string, number][] = [
    ['TCP over IPv4', tcp('127.0.0.1'), 'tcp', '127.0.0.1', 4],
    ['TCP over IPv6', tcp('::1'), 'tcp', '::1', 6],
    ['TCP to a v4-mapped address', tcp('::ffff:127.0.0.1'), 'tcp', '127.0.0.1', 6],
    ['UDP', udp, 'udp', '127.0.0.1', 4],
  ];

  it.each(cases)('finds and closes a connected socket: %s', async (_, script, protocol, address, family) => {
    const child = await startInside(NODE, script);
    const ports = JSON.parse(child.line) as { port: number; sourcePort: number };
    const destination = { protocol, ip: address, port: ports.port };
    const [found, ...more] = nl.socketsTo(diag, destination);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ ...destination, family, sourcePort: ports.sourcePort });
    expect(found!.cookie).toBeGreaterThan(0n);
    expect(nl.socketsTo(diag, { ...destination, port: ports.port + 1 })).toEqual([]);
    const wrongId = Buffer.from(found!.id);
    wrongId.writeBigUInt64LE(found!.cookie + 1n, 40);
    expect(nl.destroySocket(diag, { ...found!, id: wrongId })).toBe(false);
    expect(nl.socketsTo(diag, destination)).toHaveLength(1);
    const next = child.next();
    expect(nl.destroySocket(diag, found!)).toBe(true);
    expect(await next).toBe('ECONNABORTED');
    expect(nl.socketsTo(diag, destination)).toEqual([]);
    expect(nl.destroySocket(diag, found!)).toBe(false);
    await child.stop();
  });
});

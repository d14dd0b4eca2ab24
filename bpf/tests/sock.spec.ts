import { join } from 'node:path';
import {
  addrKeyOf,
  attachSocketHooks,
  Direction,
  DropReason,
  decodeEventSocket,
  detachSocketHooks,
  EventFlag,
  encodeBackendValue,
  encodeServiceKey,
  encodeServiceValue,
  MarkBits,
} from '@isthmus/datapath';
import { mountBpffs } from './bpffs.ts';
import { createCgroup } from './cgroup.ts';
import { Cleanup } from './cleanup.ts';
import { Datapath } from './datapath.ts';
import { createNetns } from './netns.ts';
import { address, Protocol } from './packet.ts';
import { SocketProcess } from './sockets.ts';

const PORT = 80;
const V4 = '10.96.0.10';
const V6 = 'fd00:96::10';
const MAPPED = `::ffff:${V4}`;
const id = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

const cleanup = new Cleanup();
let cgroup: string;
let pinFolder: string;
let datapath: Datapath;
let sockets: SocketProcess;

beforeAll(async () => {
  pinFolder = join(cleanup.add(mountBpffs(), (mount) => mount.remove()).path, 'node');
  const netns = cleanup.add(createNetns('sock'), (made) => made.remove());
  cgroup = cleanup.add(createCgroup('sock'), (made) => made.remove()).path;
  datapath = cleanup.add(new Datapath('sock'), (loaded) => loaded.close());
  cleanup.add(pinFolder, detachSocketHooks);
  attachSocketHooks(cgroup, pinFolder, (name) => datapath.object.program(name));
  sockets = cleanup.add(new SocketProcess(cgroup, netns.path), (process) => process.stop());
  await sockets.serve('127.0.0.1', 18080, 'four-a');
  await sockets.serve('127.0.0.2', 18081, 'four-b');
  await sockets.serve('127.0.0.2', 18080, 'of another service');
  await sockets.serve('::1', 18080, 'six');
});

afterAll(() => cleanup.run());

beforeEach(() => {
  backend(1, '127.0.0.1', 18080);
  backend(2, '127.0.0.2', 18081);
  backend(3, '::1', 18080);
  service(V4, [1]);
  service(V6, [3]);
  datapath.events();
});

function backend(number: number, host: string, port: number): void {
  const value = { addr: addrKeyOf(address(host)), port, protocol: 0, flags: 0, cluster: 1 };
  datapath.object.map('isth_backends').set(id(number), encodeBackendValue(value));
}

function service(host: string, backends: number[]): void {
  const map = datapath.object.map('isth_services');
  for (const protocol of [Protocol.tcp, Protocol.udp]) {
    const key = (slot: number) => encodeServiceKey({ addr: addrKeyOf(address(host)), port: PORT, protocol, scope: 0, slot });
    const none = { backend: 0, count: 0, revnat: 1, flags: 0, affinityTimeout: 0 };
    backends.forEach((number, index) => {
      map.set(key(index + 1), encodeServiceValue({ ...none, backend: number }));
    });
    map.set(key(0), encodeServiceValue({ ...none, count: backends.length }));
  }
}

describe.each([
  ['IPv4', V4, 'four-a'],
  ['IPv6', V6, 'six'],
  ['IPv4 on an IPv6 socket', MAPPED, 'four-a'],
])('a service, %s', (_, host, answer) => {
  it('answers TCP under its own name', async () => {
    expect(await sockets.tcp(host, PORT)).toEqual({ answer, peer: host, peerPort: PORT });
  });

  it('answers an unconnected UDP socket under its own name', async () => {
    expect(await sockets.udp(host, PORT, `plain ${host}`)).toEqual({ answer, peer: host, peerPort: PORT });
  });

  it('answers a connected UDP socket under its own name', async () => {
    const got = await sockets.connected(host, PORT);
    expect(got).toEqual({ answer, peer: host, peerPort: PORT, remote: host, remotePort: PORT });
  });

  it('refuses at once when it has no backend, and says so', async () => {
    service(host === V6 ? V6 : V4, []);
    expect(await sockets.tcp(host, PORT)).toEqual({ error: 'ECONNREFUSED' });
    expect(await sockets.udp(host, PORT, `refused ${host}`)).toEqual({ error: 'ECONNREFUSED' });
    const [event] = datapath.events();
    expect(event).toMatchObject({ subtype: DropReason.noBackend, direction: Direction.service, flags: EventFlag.socket });
    const capture = decodeEventSocket(event!.capture);
    expect(capture).toMatchObject({ servicePort: PORT, protocol: Protocol.tcp });
    expect(capture.service.addr.slice(0, 4)).toEqual(address(host === V6 ? V6 : V4).slice(0, 4));
    expect(datapath.metric(DropReason.noBackend, Direction.service).packets).toBeGreaterThanOrEqual(2);
  });
});

describe("WireGuard's sockets", () => {
  it.each([
    ['IPv4', V4, '127.0.0.1', 'four-a'],
    ['IPv6', V6, '::1', 'six'],
  ])('send where they say, and hear who answers, %s', async (_, host, backendHost, answer) => {
    // The address of the service leads nowhere by itself.
    expect((await sockets.marked(host, PORT, MarkBits.kindHost)).answer).toBe(answer);
    expect((await sockets.marked(host, PORT, MarkBits.kindEncrypted)).error).toBeDefined();
    const asked = await sockets.marked(backendHost, 18080, MarkBits.kindEncrypted);
    expect(asked).toEqual({ answer, peer: backendHost, peerPort: 18080 });
  });
});

describe('backends', () => {
  it('are all used by new connections', async () => {
    service(V4, [1, 2]);
    const seen = new Set<string | undefined>();
    for (let i = 0; i < 40 && seen.size < 2; i++) seen.add((await sockets.tcp(V4, PORT)).answer);
    expect(seen).toEqual(new Set(['four-a', 'four-b']));
  });

  it('stay with an unconnected UDP socket until they go', async () => {
    service(V4, [1, 2]);
    const { answer } = await sockets.udp(V4, PORT, 'sticky');
    for (let i = 0; i < 20; i++) expect((await sockets.udp(V4, PORT, 'sticky')).answer).toBe(answer);
    const [kept, gone] = answer === 'four-a' ? [2, 1] : [1, 2];
    service(V4, [kept]);
    datapath.object.map('isth_backends').unset(id(gone));
    expect((await sockets.udp(V4, PORT, 'sticky')).answer).toBe(kept === 1 ? 'four-a' : 'four-b');
  });

  it('of another service that took over a forgotten number are not mistaken for it', async () => {
    await sockets.udp(V4, PORT, 'reused');
    backend(1, '127.0.0.2', 18080);
    service(V4, [2]);
    expect(await sockets.udp(V4, PORT, 'reused')).toEqual({ answer: 'four-b', peer: V4, peerPort: PORT });
  });
});

it('leaves addresses alone that are no service', async () => {
  expect(await sockets.tcp('127.0.0.1', 18080)).toEqual({ answer: 'four-a', peer: '127.0.0.1', peerPort: 18080 });
  expect(await sockets.udp('::1', 18080, 'direct')).toEqual({ answer: 'six', peer: '::1', peerPort: 18080 });
});

it('goes on working across a swap of the programs, with the same maps', async () => {
  attachSocketHooks(cgroup, pinFolder, (name) => datapath.object.program(name));
  expect((await sockets.tcp(V4, PORT)).answer).toBe('four-a');
});

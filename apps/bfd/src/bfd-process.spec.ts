import { once } from 'node:events';
import { linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BfdMessage, type BfdSessionConfig, type BfdTransport, LineReader } from '@isthmus/bgp';
import { isCoded, ManualClock, seededRandom } from '@isthmus/core';
import { BFD_SOCKET_TAKEN } from './bfd.errors.ts';
import { BfdProcess } from './bfd-process.ts';

const session = (key: string, remote: string): BfdSessionConfig => ({
  key,
  local: '10.0.0.1',
  remote,
  multihop: false,
  desiredMinTxMs: 50,
  requiredMinRxMs: 50,
  multiplier: 3,
});
const A = session('a', '10.0.0.2');
const B = session('b', '10.0.0.3');

/** Resolves when something is so; each look lets the loop turn. */
const happens = async (right: () => boolean): Promise<void> => {
  while (!right()) await new Promise((resolve) => setImmediate(resolve));
};

describe('the BFD process', () => {
  let folder: string;
  let path: string;
  let clock: ManualClock;
  let process: BfdProcess;
  let sent: Map<string, number[]>;
  let open: Set<string>;
  let clients: Socket[];

  const newProcess = (): BfdProcess => {
    const transport: BfdTransport = {
      receiver: () => {},
      settle: (then) => then(),
      open: ({ remote }) => {
        open.add(remote);
        return {
          send: (bytes) => {
            sent.set(remote, [...(sent.get(remote) ?? []), (bytes[1] as number) >> 6]);
            return true;
          },
          setMinTtl: () => {},
          usable: () => true,
          dropped: () => 0,
          close: () => open.delete(remote),
        };
      },
    };
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    return new BfdProcess({ socketPath: path, clock, random: seededRandom(3), transport, realTime: { fifo: false, error: 'why' }, log });
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-bfd-'));
    path = join(folder, 'run', 'bfd.sock');
    clock = new ManualClock();
    [sent, open, clients] = [new Map(), new Set(), []];
    process = newProcess();
    await process.start();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    await process.stop();
    rmSync(folder, { recursive: true });
  });

  /** A client with all that it was told. */
  function client(): { socket: Socket; told: BfdMessage[]; say: (text: unknown) => void } {
    const socket = connect(path);
    const told: BfdMessage[] = [];
    const lines = new LineReader();
    clients.push(socket);
    socket.on('data', (chunk) => told.push(...lines.push(String(chunk)).map((line) => JSON.parse(line) as BfdMessage)));
    return { socket, told, say: (text) => socket.write(`${typeof text === 'string' ? text : JSON.stringify(text)}\n`) };
  }

  it('tells whoever connects how everything is', async () => {
    const { told } = client();
    await happens(() => told.length === 1);
    expect(told[0]).toEqual({ type: 'status', instance: expect.any(String), sessions: [], dropped: {}, fifo: false, fifoError: 'why' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('makes its sessions those of the list, and keeps them when the client goes', async () => {
    const first = client();
    first.say({ type: 'sessions', sessions: [A, B] });
    await happens(() => first.told.length === 2);
    expect(first.told[1]).toEqual({ type: 'taken', refused: [] });
    first.socket.destroy();
    clock.advance(3_600_000);
    expect([...open]).toEqual(['10.0.0.2', '10.0.0.3']);
    const second = client();
    await happens(() => second.told.length === 1);
    expect(second.told[0]).toMatchObject({ sessions: [{ key: 'a' }, { key: 'b' }] });
    second.say({ type: 'sessions', sessions: [B] });
    await happens(() => second.told.length === 2);
    expect([...open]).toEqual(['10.0.0.3']);
    expect(sent.get('10.0.0.2')!.at(-1)).toBe(0); // AdminDown
  });

  it('refuses rows that cannot be, and keeps what there is under their names', async () => {
    const { told, say } = client();
    say({ type: 'sessions', sessions: [A] });
    say({ type: 'sessions', sessions: [{ ...A, multiplier: 0 }, B, { ...B, key: 'c' }, 7] });
    await happens(() => told.length === 3);
    expect(told[2]).toEqual({
      type: 'taken',
      refused: [
        { key: 'a', error: expect.stringContaining('multiplier is 0') },
        { key: '', error: expect.stringContaining('no key') },
        { key: 'c', error: 'another session goes the same way' },
      ],
    });
    expect([...open]).toEqual(['10.0.0.2', '10.0.0.3']);
  });

  it.each(['nonsense', 'null', '{"type":"sessions"}', '{"type":"end"}'])('answers to %s and goes on', async (line) => {
    const { told, say } = client();
    say(line);
    say({ type: 'status' });
    await happens(() => told.length === 3);
    expect(told.map(({ type }) => type)).toEqual(['status', 'error', 'status']);
  });

  it('lets go a client whose line has no end', async () => {
    const { socket } = client();
    let closed = false;
    socket.on('close', () => (closed = true)).on('error', () => {});
    socket.write('x'.repeat(5 << 20));
    await happens(() => closed);
  });

  it('is alone on its socket, but takes over one that nobody answers on', async () => {
    const second = newProcess();
    await expect(second.start()).rejects.toMatchObject({ code: BFD_SOCKET_TAKEN.code });
    const file = join(folder, 'file');
    writeFileSync(file, '');
    path = file;
    const error: unknown = await newProcess()
      .start()
      .catch((thrown: unknown) => thrown);
    expect(isCoded(error, BFD_SOCKET_TAKEN)).toBe(true);
    path = join(folder, 'dead');
    const dead = createServer().listen(join(folder, 'alive'));
    await once(dead, 'listening');
    linkSync(join(folder, 'alive'), path); // A name that stays when the listener goes.
    await new Promise((resolve) => dead.close(resolve));
    const third = newProcess();
    await third.start();
    await third.stop();
  });
});

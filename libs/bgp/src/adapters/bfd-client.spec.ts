import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@isthmus/core';
import type { BfdMessage, BfdStatus } from '../bfd/bfd-protocol.ts';
import type { BfdReport } from '../bfd/bfd-report.ts';
import type { BfdSessionConfig } from '../bfd/bfd-settings.ts';
import { BfdClient } from './bfd-client.ts';

const WANTED = [{ key: 'a' } as BfdSessionConfig];
const report = (key: string, more: Partial<BfdReport> = {}): BfdReport =>
  ({ key, state: 'up', remoteState: 'up', lost: false, ...more }) as BfdReport;
const status = (instance: string, ...sessions: BfdReport[]): BfdMessage & BfdStatus => ({
  type: 'status',
  instance,
  sessions,
  dropped: {},
  fifo: true,
});

describe('the client of the BFD process', () => {
  let folder: string;
  let path: string;
  let server: Server;
  let lines: string[];
  let sockets: Socket[];
  let greeting: BfdMessage;
  let client: BfdClient;
  let clock: ManualClock;
  let heard: BfdReport[];
  let told: string[];

  const say = (...messages: BfdMessage[]): void =>
    sockets.at(-1)!.write(messages.map((one) => `${JSON.stringify(one)}\n`).join('')) as never;
  const happens = async (right: () => boolean): Promise<void> => {
    while (!right()) await new Promise((resolve) => setImmediate(resolve));
  };

  const listen = async (): Promise<void> => {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (chunk) => lines.push(...String(chunk).trim().split('\n')));
      socket.write(`${JSON.stringify(greeting)}\n`);
    });
    server.listen(path);
    await once(server, 'listening');
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-bfd-client-'));
    path = join(folder, 'bfd.sock');
    [lines, sockets, heard, told] = [[], [], [], []];
    greeting = status('one');
    clock = new ManualClock();
    client = new BfdClient({
      path,
      clock,
      random: () => 0,
      onState: (one) => heard.push(one),
      onConnected: (connected, error) => told.push(`${connected} ${(error as NodeJS.ErrnoException)?.code ?? ''}`),
      onRefused: (key, error) => told.push(`${key}: ${error}`),
    });
  });
  afterEach(async () => {
    client.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  it('hears what there is, and changes nothing before it was told what is wanted', async () => {
    greeting = status('one', report('a'), report('b', { state: 'down' }));
    await listen();
    client.start();
    await happens(() => heard.length === 2);
    expect([told, [...client.reports().keys()], client.status()?.fifo]).toEqual([['true '], ['a', 'b'], true]);
    client.refresh();
    await happens(() => lines.length > 0);
    expect(lines).toEqual(['{"type":"status"}']);
    client.want(WANTED);
    await happens(() => lines.length > 1);
    expect(JSON.parse(lines[1]!)).toEqual({ type: 'sessions', sessions: WANTED });
  });

  it('tells changes once, and refusals', async () => {
    await listen();
    client.start();
    await happens(() => sockets.length === 1);
    say(
      { type: 'state', session: report('a') },
      { type: 'state', session: report('a', { sinceMs: 5 }) },
      { type: 'state', session: report('a', { state: 'down', lost: true }) },
      { type: 'taken', refused: [{ key: 'b', error: 'no' }] },
    );
    await happens(() => told.includes('b: no'));
    expect(heard.map(({ state, lost }) => [state, lost])).toEqual([
      ['up', false],
      ['down', true],
    ]);
  });

  it('waits longer and longer for a process that is not there, says so once, and keeps what it knows when one goes', async () => {
    client.want(WANTED);
    client.start();
    await happens(() => told.length === 1);
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
    greeting = status('one', report('a'));
    await listen();
    while (!client.connected) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await happens(() => lines.length === 1);
    expect(told).toEqual(['false ENOENT', 'true ']);
    sockets.at(-1)!.destroy();
    await happens(() => !client.connected);
    expect(client.reports().get('a')!.state).toBe('up');
    greeting = status('one', report('a', { state: 'down', lost: true }));
    clock.advance(50);
    await happens(() => client.connected && lines.length === 2);
    expect(heard.map(({ lost }) => lost)).toEqual([false, true]); // It happened while nobody listened.
  });

  it('forgets what another instance knew', async () => {
    greeting = status('one', report('a'));
    await listen();
    client.start();
    await happens(() => heard.length === 1);
    greeting = status('two');
    sockets.at(-1)!.destroy();
    await happens(() => !client.connected);
    clock.advance(50);
    await happens(() => client.connected);
    expect(client.reports().size).toBe(0);
    greeting = status('three', report('a'));
    sockets.at(-1)!.destroy();
    await happens(() => !client.connected);
    clock.advance(100);
    await happens(() => client.connected);
    greeting = status('four', report('a'));
    sockets.at(-1)!.destroy();
    await happens(() => !client.connected);
    clock.advance(100);
    await happens(() => heard.length === 3); // The same, but another session.
  });

  it('connects no more when it is stopped', async () => {
    await listen();
    client.start();
    await happens(() => client.connected);
    client.stop();
    clock.advance(60_000);
    await happens(() => sockets.every((socket) => socket.destroyed));
    expect([client.connected, sockets.length, told]).toEqual([false, 1, ['true ']]);
  });

  it('leaves a process that it does not understand, and tries again', async () => {
    await listen();
    client.start();
    await happens(() => client.connected);
    sockets.at(-1)!.write('nonsense\n');
    await happens(() => !client.connected);
    clock.advance(50);
    await happens(() => client.connected);
    expect(told.map((one) => one.split(' ')[0])).toEqual(['true', 'false', 'true']);
  });
});

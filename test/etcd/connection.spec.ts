import { readFile, writeFile } from 'node:fs/promises';
import { seededRandom, systemClock } from '@isthmus/core';
import { clientProfile } from '@isthmus/crypto';
import {
  type EtcdConnectionEvent,
  EtcdKvStore,
  KV_CERTIFICATE_EXPIRED,
  KV_CONFIG,
  KV_TIMEOUT,
  KV_UNAUTHENTICATED,
  KV_UNREACHABLE,
  KV_WRONG_CLUSTER,
  mirrorPrefix,
  readEtcdConfig,
} from '@isthmus/kvstore';
import { rejection } from '../../libs/kvstore/testing/kvstore.contract.ts';
import { EtcdProcess } from './etcd-process.ts';
import { until } from './mirrored.ts';
import { TestPki } from './pki.ts';
import { TcpProxy } from './tcp-proxy.ts';

describe('the connection to etcd', () => {
  let pki: TestPki;
  let foreign: TestPki;
  let etcd: EtcdProcess;
  let plain: EtcdProcess;
  const proxies: TcpProxy[] = [];
  const proxyTo = async (port: number): Promise<TcpProxy> => {
    const proxy = await TcpProxy.start(port);
    proxies.push(proxy);
    return proxy;
  };
  beforeAll(async () => {
    [pki, foreign] = [await TestPki.create(), await TestPki.create()];
    [etcd, plain] = [await EtcdProcess.start({ pki }), await EtcdProcess.start()];
  });
  afterEach(() => Promise.all(proxies.splice(0).map((proxy) => proxy.close())));
  afterAll(async () => {
    await Promise.all([etcd.close(), plain.close()]);
    await Promise.all([pki.remove(), foreign.remove()]);
  });

  it('names an endpoint that nobody listens on', async () => {
    const kv = await etcd.connect('root', { config: { endpoints: ['http://127.0.0.1:1'] }, timeoutMs: 300 });
    const error = await rejection(kv.get('a'), KV_UNREACHABLE);
    expect(error.message).toMatch(/http:\/\/127\.0\.0\.1:1.*ECONNREFUSED/s);
  });

  it('fails at once, and says so, when the two sides do not trust each other', async () => {
    const mine = await etcd.config();
    const since = performance.now();
    const unknownServer = await etcd.connect('root', { config: { ...mine, trustedCaFile: foreign.caFile } });
    expect((await rejection(unknownServer.get('a'), KV_UNAUTHENTICATED)).message).toContain(etcd.endpoint);
    const unknownClient = await etcd.connect('root', { config: { ...mine, ...(await foreign.client('root')) } });
    const refused = await rejection(unknownClient.get('a'), KV_UNAUTHENTICATED);
    expect(refused.message).toContain('the server does not accept the client certificate root of isthmus-ca-test');
    const { certFile: _, keyFile: __, ...nobody } = mine;
    await rejection((await etcd.connect('root', { config: nobody })).get('a'), KV_UNAUTHENTICATED);
    expect(performance.now() - since).toBeLessThan(3_000);
  });

  it('expects the name that the configuration gives, at the address of its alias', async () => {
    const { port } = etcd;
    const at = async (hostname: string) => {
      const config = {
        ...(await etcd.config()),
        endpoints: [`https://${hostname}:${port}`],
        hostAliases: [{ hostname, ips: ['127.0.0.1'] }],
      };
      return etcd.connect('root', { config });
    };
    await (await at('west.mesh.cilium.io')).status();
    expect((await rejection((await at('somebody.else')).status(), KV_UNAUTHENTICATED)).message).toContain('somebody.else');
  });

  it('names the file that is missing or wrong', async () => {
    const mine = await etcd.config();
    const missing = await etcd.connect('root', { config: { ...mine, keyFile: '/nowhere/key' } });
    expect((await rejection(missing.status(), KV_CONFIG)).message).toContain('/nowhere/key');
    const { keyFile } = await pki.client('another');
    const unfit = await etcd.connect('root', { config: { ...mine, keyFile } });
    expect((await rejection(unfit.status(), KV_CONFIG)).message).toContain(keyFile);
  });

  it('reads the certificates anew when it connects anew', async () => {
    const { certFile, keyFile } = await foreign.client('renewed');
    const proxy = await proxyTo(etcd.port);
    const config = { endpoints: [`https://127.0.0.1:${proxy.port}`], trustedCaFile: pki.caFile, certFile, keyFile };
    const events: string[] = [];
    const kv = await etcd.connect('root', { config, onConnection: ({ type }) => events.push(type) });
    await rejection(kv.status(), KV_UNAUTHENTICATED);
    const renew = async (from: TestPki): Promise<void> => {
      const fresh = await from.client('renewed-source');
      await writeFile(certFile, await readFile(fresh.certFile));
      await writeFile(keyFile, await readFile(fresh.keyFile));
    };
    await renew(pki);
    await kv.status();
    await renew(foreign);
    await kv.status(); // an open connection goes on
    proxy.cut();
    await until(() => events.at(-1) === 'lost');
    proxy.join(etcd.port);
    await rejection(kv.status(), KV_UNAUTHENTICATED);
  });

  it('moves on to a newer certificate before the old one ends: no call fails, no watch is interrupted', async () => {
    const brief = { ...clientProfile('root'), validityMs: 6_000 };
    const files = await pki.issue('brief', brief);
    const events: EtcdConnectionEvent[] = [];
    const kv = await etcd.connect('root', { config: { ...(await etcd.config()), ...files }, onConnection: (event) => events.push(event) });
    const writer = await etcd.connect();
    const [stop, failed, told] = [new AbortController(), [] as unknown[], [] as string[]];
    const mirroring = mirrorPrefix(kv, {
      prefix: 'handover/',
      clock: systemClock,
      random: seededRandom(1),
      signal: stop.signal,
      onBatch: (changes) => void told.push(...changes.map(({ key }) => key)),
      onDisconnected: (error) => void failed.push(error),
    });
    const calling = callUntil(kv, stop.signal, failed);
    let written = 0;
    const write = async (): Promise<void> => void (await writer.put(`handover/${written++}`, 'x'));
    await write();
    await until(() => told.length === 1);
    await pki.renew(files, { ...brief, validityMs: 60_000 });
    while (events.length < 2) await write();
    for (let i = 0; i < 20; i++) await write();
    await until(() => told.length === written);
    stop.abort();
    await Promise.all([mirroring, calling]);
    expect(events.map(({ type }) => type)).toEqual(['connected', 'connected']);
    expect(failed).toEqual([]);
    expect(told).toEqual(Array.from({ length: written }, (_, i) => `handover/${i}`));
  });

  it('is given up when its certificate expires and there is no newer one, and says whose it was', async () => {
    const files = await pki.issue('brief', { ...clientProfile('root'), validityMs: 2_000 });
    const events: EtcdConnectionEvent[] = [];
    const kv = await etcd.connect('root', { config: { ...(await etcd.config()), ...files }, onConnection: (event) => events.push(event) });
    await kv.status();
    await until(() => events.length === 2, 10_000);
    expect(events[1]).toMatchObject({ type: 'lost', error: { code: 'KV_CERTIFICATE_EXPIRED', object: 'root' } });
    const { message } = await rejection(kv.status(), KV_CERTIFICATE_EXPIRED);
    expect(message).toMatch(/the client certificate root \(.*brief\.crt\) expired at 20/);
    await pki.renew(files, clientProfile('root'));
    await kv.status();
  });

  it('goes on to the next endpoint', async () => {
    const events: EtcdConnectionEvent[] = [];
    const [a, b] = [await proxyTo(plain.port), await proxyTo(plain.port)];
    const endpoints = [a, b].map(({ port }) => `http://127.0.0.1:${port}`);
    const kv = await etcd.connect('root', { config: { endpoints }, onConnection: (event) => events.push(event) });
    for (const [down, up] of [
      [a, b],
      [b, a],
      [a, b],
    ] as const) {
      down.cut();
      up.join(plain.port);
      await until(() => events.length === 0 || events.at(-1)!.type !== 'connected' || !events.at(-1)!.endpoint.endsWith(`:${down.port}`));
      await kv.status();
      expect(events.at(-1)).toMatchObject({
        type: 'connected',
        endpoint: `http://127.0.0.1:${up.port}`,
        version: expect.stringMatching(/^3\./),
      });
    }
  });

  it('tells of another cluster once, and refuses it for ever where one cluster is asked for', async () => {
    const other = await EtcdProcess.start();
    const proxy = await proxyTo(plain.port);
    const config = { endpoints: [`http://127.0.0.1:${proxy.port}`] };
    const { clusterId } = await (await plain.connect()).status();
    const [any, one] = [await plain.connect('root', { config }), await plain.connect('root', { config, clusterId })];
    await Promise.all([any.status(), one.status()]);
    const watch = any.watch('x')[Symbol.asyncIterator]();
    await watch.next();
    proxy.cut();
    await rejection(watch.next(), KV_UNREACHABLE);
    proxy.join(other.port);
    await rejection(any.status(), KV_WRONG_CLUSTER);
    await any.status();
    await rejection(one.status(), KV_WRONG_CLUSTER);
    await rejection(one.status(), KV_WRONG_CLUSTER);
    await other.close();
  });

  it('keeps a call’s deadline though the server is frozen', async () => {
    const frozen = await EtcdProcess.start();
    try {
      const kv = await frozen.connect();
      await kv.status();
      await frozen.freeze();
      const since = performance.now();
      await rejection(kv.put('a', '1', { timeoutMs: 200 }), KV_TIMEOUT);
      expect(performance.now() - since).toBeLessThan(1_000);
      const fresh = await frozen.connect('root', { connectTimeoutMs: 200 });
      await rejection(fresh.put('a', '1', { timeoutMs: 500 }), KV_UNREACHABLE);
    } finally {
      await frozen.close();
    }
  });

  it('reads its configuration from a file', async () => {
    const file = `${pki.folder}/client.yaml`;
    const { endpoints, trustedCaFile, certFile, keyFile } = await etcd.config();
    await writeFile(
      file,
      `endpoints: ["${endpoints[0]}"]\ntrusted-ca-file: ${trustedCaFile}\ncert-file: ${certFile}\nkey-file: ${keyFile}\n`,
    );
    const kv = new EtcdKvStore({ config: await readEtcdConfig(file) });
    await kv.status();
    kv.close();
    await rejection(readEtcdConfig('/nowhere.yaml'), KV_CONFIG);
  });
});

/** Asks one question after another; what fails is kept. */
async function callUntil(kv: EtcdKvStore, signal: AbortSignal, failed: unknown[]): Promise<void> {
  while (!signal.aborted) await kv.get('handover/0').catch((error: unknown) => failed.push(error));
}

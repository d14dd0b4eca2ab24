import { once } from 'node:events';
import { createServer } from 'node:net';
import type { BgpConnection, BgpListener, ListenerPeer } from '../session/bgp-transport.ts';
import { tcpTransport } from './tcp-transport.ts';

const never = new AbortController().signal;

/** Listens, and hands out accepted connections in turn. */
async function listening(
  address: string,
  peers: readonly ListenerPeer[] = [],
): Promise<{ listener: BgpListener; accepted: () => Promise<BgpConnection> }> {
  const waiting: ((connection: BgpConnection) => void)[] = [];
  const arrived: BgpConnection[] = [];
  const listener = await tcpTransport.listen({ address, port: 0 }, peers, (connection) => {
    const take = waiting.shift();
    if (take === undefined) arrived.push(connection);
    else take(connection);
  });
  const accepted = (): Promise<BgpConnection> => {
    const connection = arrived.shift();
    return connection === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(connection);
  };
  return { listener, accepted };
}

/** Collects what arrives. */
function read(connection: BgpConnection): {
  text: () => string;
  closed: Promise<Error | undefined>;
  until: (text: string) => Promise<void>;
} {
  let text = '';
  let wake = (): void => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    connection.start({
      onBytes: (bytes) => {
        text += Buffer.from(bytes).toString();
        wake();
      },
      onDrain: () => {},
      onClosed: resolve,
    });
  });
  const until = async (wanted: string): Promise<void> => {
    while (text !== wanted) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { text: () => text, closed, until };
}

describe.each(['127.0.0.1', '::1'])('TCP transport on %s', (address) => {
  it('carries bytes both ways and closes after the last of them', async () => {
    const { listener, accepted } = await listening(address);
    const client = await tcpTransport.connect({ remote: listener.local, localAddress: address }, never);
    const server = await accepted();
    expect(server.remote).toEqual(client.local);
    expect(client.remote).toEqual(listener.local);
    const here = read(client);
    const there = read(server);
    client.write(Buffer.from('ping'));
    server.write(Buffer.from('pong'));
    await Promise.all([here.until('pong'), there.until('ping')]);
    server.write(Buffer.from('last'));
    server.end();
    expect(await here.closed).toBeUndefined();
    expect(here.text()).toBe('ponglast');
    await there.closed;
    await listener.close();
  });

  it('signs with TCP-MD5 on both sides, for a network as well', async () => {
    const { listener, accepted } = await listening(address);
    listener.setPeer({ address: address.includes(':') ? '::/64' : '127.0.0.0/8', password: 'secret' });
    const client = await tcpTransport.connect({ remote: listener.local, password: 'secret' }, never);
    (await accepted()).destroy();
    expect(await read(client).closed).toBeUndefined();
    await listener.close();
  });

  it('gets no answer with another password, and none without one', async () => {
    const { listener } = await listening(address);
    listener.setPeer({ address, password: 'secret' });
    for (const password of [{ password: 'wrong' }, {}]) {
      const giveUp = AbortSignal.timeout(100);
      await expect(tcpTransport.connect({ remote: listener.local, ...password }, giveUp)).rejects.toMatchObject({ code: 'BGP_CONNECT' });
    }
    listener.removePeer(address);
    (await tcpTransport.connect({ remote: listener.local }, never)).destroy();
    await listener.close();
  });

  it('lets nobody in unsigned whose password is known when it begins to listen', async () => {
    const { listener, accepted } = await listening(address, [{ address, password: 'secret' }]);
    const unsigned = tcpTransport.connect({ remote: listener.local }, AbortSignal.timeout(100));
    await expect(unsigned).rejects.toMatchObject({ code: 'BGP_CONNECT' });
    const client = await tcpTransport.connect({ remote: listener.local, password: 'secret' }, never);
    (await accepted()).destroy();
    client.destroy();
    await listener.close();
  });

  it('drops what comes with a lower TTL than the peer must have', async () => {
    const { listener, accepted } = await listening(address);
    listener.setPeer({ address, ttl: 255, minTtl: 255 });
    const near = await tcpTransport.connect({ remote: listener.local, ttl: 255, minTtl: 255 }, never);
    const server = read(await accepted());
    near.write(Buffer.from('near'));
    await server.until('near');
    near.destroy();
    const far = await tcpTransport.connect({ remote: listener.local, ttl: 254 }, never);
    const connection = await accepted();
    const deaf = read(connection);
    far.write(Buffer.from('far'));
    // What does arrive: the same connection's bytes in the other direction, well after those.
    const back = read(far);
    connection.write(Buffer.from('hello'));
    await back.until('hello');
    expect(deaf.text()).toBe('');
    far.destroy();
    connection.destroy();
    await listener.close();
  });
});

describe('TCP transport', () => {
  it('says why a connection was refused', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    await once(server, 'close');
    const attempt = tcpTransport.connect({ remote: { address: '127.0.0.1', port } }, never);
    await expect(attempt).rejects.toMatchObject({
      code: 'BGP_CONNECT',
      object: '127.0.0.1',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('says why it cannot listen', async () => {
    const { listener } = await listening('127.0.0.1');
    await expect(tcpTransport.listen(listener.local, [], () => {})).rejects.toMatchObject({
      code: 'BGP_LISTEN',
      message: expect.stringContaining('Address already in use'),
    });
    await listener.close();
  });

  it('refuses an empty password, and one that is too long, instead of not signing', async () => {
    const { listener } = await listening('127.0.0.1');
    for (const password of ['', 'x'.repeat(81)]) {
      await expect(tcpTransport.connect({ remote: listener.local, password }, never)).rejects.toMatchObject({ code: 'BGP_PASSWORD' });
      expect(() => listener.setPeer({ address: '127.0.0.1', password })).toThrow(expect.objectContaining({ code: 'BGP_PASSWORD' }));
    }
    await listener.close();
  });

  it('refuses an address without an interface', async () => {
    const attempt = tcpTransport.connect({ remote: { address: 'fe80::1%nowhere0', port: 179 }, password: 'x' }, never);
    await expect(attempt).rejects.toMatchObject({ code: 'BGP_ADDRESS' });
  });
});

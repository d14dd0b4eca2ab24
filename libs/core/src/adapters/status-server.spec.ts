import { STATUS_LISTEN, StatusServer } from './status-server.ts';

describe('StatusServer', () => {
  let why: string | undefined;
  const server = new StatusServer({
    notReady: () => why,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'isthmus_things 3\n' }),
  });
  let base: string;
  beforeAll(async () => {
    base = `http://127.0.0.1:${await server.listen('127.0.0.1:0')}`;
  });
  afterAll(() => server.close());

  it('tells healthy from ready, and why not', async () => {
    why = 'the cluster etcd cannot be read';
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const not = await fetch(`${base}/readyz`);
    expect([not.status, await not.text()]).toEqual([503, 'the cluster etcd cannot be read\n']);
    why = undefined;
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
  });

  it('serves metrics', async () => {
    const answer = await fetch(`${base}/metrics`);
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['text/plain; version=0.0.4', 'isthmus_things 3\n']);
  });

  it('says what is wrong with an address', async () => {
    const other = new StatusServer({ notReady: () => undefined, metrics: async () => ({ contentType: '', body: '' }) });
    await expect(other.listen('nowhere')).rejects.toMatchObject({ code: STATUS_LISTEN.code });
    await expect(other.listen('127.0.0.1:99999')).rejects.toMatchObject({ code: STATUS_LISTEN.code });
    await expect(other.listen(base.slice('http://'.length))).rejects.toMatchObject({ message: expect.stringContaining('EADDRINUSE') });
    await other.close();
  });
});

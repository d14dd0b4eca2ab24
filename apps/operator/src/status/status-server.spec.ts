import { OPERATOR_LISTEN } from '../operator.errors.ts';
import { METRICS, OperatorMetrics } from './operator-metrics.ts';
import { StatusServer } from './status-server.ts';

describe('StatusServer', () => {
  const metrics = new OperatorMetrics();
  let why: string | undefined;
  const server = new StatusServer({
    notReady: () => why,
    metrics: async () => ({ contentType: metrics.registry.contentType, body: await metrics.registry.metrics() }),
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

  it('serves metrics, also those that nothing has counted yet', async () => {
    metrics.identityPass({ alive: 3, deleted: 1 });
    const text = await (await fetch(`${base}/metrics`)).text();
    for (const name of Object.values(METRICS)) expect(text).toContain(`# TYPE ${name} `);
    expect(text).toContain('cilium_operator_identity_gc_entries{status="alive"} 3');
    expect((await fetch(`${base}/elsewhere`)).status).toBe(404);
  });

  it('says what is wrong with an address', async () => {
    const other = new StatusServer({ notReady: () => undefined, metrics: async () => ({ contentType: '', body: '' }) });
    await expect(other.listen('nowhere')).rejects.toMatchObject({ code: OPERATOR_LISTEN.code });
    await expect(other.listen('127.0.0.1:99999')).rejects.toMatchObject({ code: OPERATOR_LISTEN.code });
    await expect(other.listen(base.slice('http://'.length))).rejects.toMatchObject({ message: expect.stringContaining('EADDRINUSE') });
    await other.close();
  });
});

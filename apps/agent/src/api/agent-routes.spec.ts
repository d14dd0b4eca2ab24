import type { ServerResponse } from 'node:http';
import { ManualClock, Store } from '@isthmus/core';
import { EventFanout, type EventListener } from '../datapath/event-fanout.ts';
import { NO_ENCRYPTION } from '../encryption/encryption-status.ts';
import { agentRoutes } from './agent-routes.ts';
import type { ApiAnswer, ApiRequest } from './unix-server.ts';

function fixture() {
  const store = new Store(new ManualClock());
  const pods = store.table<object>('pods');
  pods.put('shop/web', { ip: '10.1.0.5' });
  pods.put('shop/db', { ip: '10.1.0.6' });
  pods.synced('local');
  store.table<object>('sink/pods').put('shop/web', { error: 'full' });
  const events = new EventFanout();
  const routes = agentRoutes({
    cni: { handle: async (body: unknown) => ({ status: 500, body: { got: body as object } }) },
    store,
    status: () => ({ ready: true }),
    config: () => ({ a: 1 }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'm 1\n' }),
    bpfMaps: () => ['peers'],
    bpfMap: (name) => (name === 'peers' ? [{ peer: 1 }] : undefined),
    events,
    bgp: () => undefined,
    encryption: () => ({ ...NO_ENCRYPTION, node: 'east/n1' }),
  });
  const call = (route: string, request: Partial<ApiRequest> = {}): Promise<ApiAnswer> =>
    Promise.resolve(
      routes.get(route)?.({
        rest: [],
        query: new URLSearchParams(),
        body: undefined,
        signal: new AbortController().signal,
        ...request,
      }) as ApiAnswer,
    );
  return { call, events };
}

describe('agentRoutes', () => {
  it('shows tables, one table, one row', async () => {
    const { call } = fixture();
    expect(await call('GET /v1/tables')).toEqual({
      body: [
        { name: 'pods', rows: 2, scopes: { local: true } },
        { name: 'sink/pods', rows: 1, scopes: {} },
      ],
    });
    const web = { key: 'shop/web', revision: 1, row: { ip: '10.1.0.5' } };
    expect(await call('GET /v1/tables', { rest: ['pods'] })).toEqual({
      body: [web, { key: 'shop/db', revision: 2, row: { ip: '10.1.0.6' } }],
    });
    expect(await call('GET /v1/tables', { rest: ['pods', 'shop', 'web'] })).toEqual({ body: [web] });
    expect(await call('GET /v1/tables', { rest: ['pods'], query: new URLSearchParams({ key: 'shop/web' }) })).toEqual({ body: [web] });
    expect(await call('GET /v1/tables', { rest: ['sink', 'pods'] })).toEqual({
      body: [expect.objectContaining({ row: { error: 'full' } })],
    });
    expect(await call('GET /v1/tables', { rest: ['sink/pods'] })).toEqual({ body: [expect.objectContaining({ row: { error: 'full' } })] });
    await expect((async () => call('GET /v1/tables', { rest: ['none'] }))()).rejects.toMatchObject({ code: 'API_NOT_FOUND' });
  });

  it('shows maps, status, configuration, metrics, and hands CNI on', async () => {
    const { call } = fixture();
    expect(await call('GET /v1/bpf')).toEqual({ body: ['peers'] });
    expect(await call('GET /v1/bpf', { rest: ['peers'] })).toEqual({ body: [{ peer: 1 }] });
    await expect((async () => call('GET /v1/bpf', { rest: ['none'] }))()).rejects.toMatchObject({ code: 'API_NOT_FOUND' });
    expect(await call('GET /v1/status')).toEqual({ body: { ready: true } });
    expect(await call('GET /v1/config')).toEqual({ body: { a: 1 } });
    expect(await call('GET /v1/metrics')).toMatchObject({ text: 'm 1\n', contentType: expect.stringContaining('text/plain') });
    expect(await call('POST /v1/cni', { body: { x: 1 } })).toEqual({ status: 500, body: { got: { x: 1 } } });
  });

  it('streams events, and tells a slow listener how many it missed', async () => {
    const { call, events } = fixture();
    const listeners: EventListener[] = [];
    let stopped = 0;
    Object.assign(events, { subscribe: (listener: EventListener) => listeners.push(listener) && (() => stopped++) });
    const lines: unknown[] = [];
    const response = {
      writableNeedDrain: false,
      writeHead: () => undefined,
      flushHeaders: () => undefined,
      write: (line: string) => lines.push(JSON.parse(line)),
    };
    const gone = new AbortController();
    const answer = (await call('GET /v1/monitor', { signal: gone.signal })) as { stream: (response: ServerResponse) => void };
    answer.stream(response as unknown as ServerResponse);
    const tell = (n: number): void => listeners[0]?.({ n } as unknown as Parameters<EventListener>[0]);
    tell(1);
    response.writableNeedDrain = true;
    tell(2);
    tell(3);
    response.writableNeedDrain = false;
    tell(4);
    expect(lines).toEqual([{ n: 1 }, { type: 'lost', count: 2 }, { n: 4 }]);
    gone.abort();
    expect(stopped).toBe(1);
    const late = (await call('GET /v1/monitor', { signal: gone.signal })) as { stream: (response: ServerResponse) => void };
    late.stream(response as unknown as ServerResponse);
    expect(stopped).toBe(2);
  });
});

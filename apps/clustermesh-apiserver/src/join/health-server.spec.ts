import { startHealthServer } from './health-server.ts';

describe('the health server', () => {
  it('tells alive from ready, names what is missing, and passes metrics through', async () => {
    let missing: string[] = ['mesh etcd', 'east'];
    let metrics = async (): Promise<string> => 'isthmus_up 1\n';
    const server = await startHealthServer({ host: '127.0.0.1', port: 0 }, { missing: async () => missing, metrics: () => metrics() });
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(server.url + path);
      return [response.status, await response.text()];
    };
    try {
      expect(await get('/healthz')).toEqual([200, 'ok\n']);
      expect(await get('/readyz')).toEqual([503, 'waiting for: mesh etcd, east\n']);
      missing = [];
      expect(await get('/readyz?verbose')).toEqual([200, 'ok\n']);
      expect(await get('/metrics')).toEqual([200, 'isthmus_up 1\n']);
      expect((await get('/v1/cluster'))[0]).toBe(404);
      metrics = () => Promise.reject(new Error('collector broke'));
      expect(await get('/metrics')).toEqual([500, 'collector broke\n']);
    } finally {
      await server.close();
    }
  });
});

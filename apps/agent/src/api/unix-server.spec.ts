import { linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { AGENT_NOT_READY } from '../agent.errors.ts';
import { type ApiHandler, type ApiRequest, type ApiRoutes, UnixServer } from './unix-server.ts';

const seen: ApiRequest[] = [];
const routes: ApiRoutes = new Map<string, ApiHandler>([
  ['GET /v1/tables', (call) => ({ body: seen.push(call) && call.rest })],
  ['POST /v1/cni', (call) => ({ status: 500, body: seen.push(call) && { got: call.body } })],
  ['GET /coded', () => Promise.reject(new CodedError(AGENT_NOT_READY, 'not yet', { object: 'x' }))],
  ['GET /defect', () => Promise.reject(new TypeError('oops'))],
  ['GET /text', () => ({ text: 'a 1\n', contentType: 'text/plain' })],
  ['GET /stream', ({ signal }) => ({ stream: (response) => void response.write('one\n', () => signal.addEventListener('abort', gone)) })],
]);
let gone = (): void => undefined;

describe('UnixServer', () => {
  let dir: string;
  let path: string;
  let server: UnixServer;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-api-'));
    path = join(dir, 'run', 'a.sock');
    server = new UnixServer(path, routes);
    seen.length = 0;
  });
  afterEach(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  const call = (method: string, target: string, body?: string | Buffer) =>
    new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
      const out = request({ socketPath: path, method, path: target }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        const type = response.headers['content-type'] ?? '';
        response.on('end', () => resolve({ status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString() }));
      });
      out.on('error', reject);
      out.end(body);
    });

  it('is for root and its group only', async () => {
    await server.start();
    expect([statSync(path).mode & 0o777, statSync(join(dir, 'run')).mode & 0o777]).toEqual([0o660, 0o750]);
  });

  it('finds the longest route, and hands over the rest of the path, decoded', async () => {
    await server.start();
    expect(await call('GET', '/v1/tables/sink%2Fpeers/a%20b?key=x%2Fy')).toMatchObject({ status: 200, text: '["sink/peers","a b"]' });
    expect(seen[0]?.query.get('key')).toBe('x/y');
    expect(await call('GET', '/v1//tables/')).toMatchObject({ status: 200, text: '[]' });
  });

  it('reads JSON, and answers with the status of the route', async () => {
    await server.start();
    expect(await call('POST', '/v1/cni/ADD', '{"a":1}')).toEqual({ status: 500, type: 'application/json', text: '{"got":{"a":1}}' });
    expect(await call('POST', '/v1/cni')).toMatchObject({ text: '{}' });
    expect(await call('GET', '/text')).toEqual({ status: 200, type: 'text/plain', text: 'a 1\n' });
  });

  it.each([
    [404, 'API_NOT_FOUND', 'GET', '/nothing', undefined],
    [404, 'API_NOT_FOUND', 'GET', '/', undefined],
    [404, 'API_NOT_FOUND', 'DELETE', '/v1/tables', undefined],
    [400, 'API_REQUEST_INVALID', 'GET', '/v1/tables/%ff', undefined],
    [400, 'API_REQUEST_INVALID', 'POST', '/v1/cni', '{'],
    [400, 'API_REQUEST_INVALID', 'POST', '/v1/cni', Buffer.alloc((2 << 20) + 1, 'x')],
    [500, 'AGENT_NOT_READY', 'GET', '/coded', undefined],
    [500, 'INTERNAL', 'GET', '/defect', undefined],
  ])('answers %i %s to %s %s', async (status, code, method, target, body) => {
    await server.start();
    const answer = await call(method, target, body);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([status, expect.objectContaining({ code, message: expect.any(String) })]);
  });

  it('takes a body up to its limit', async () => {
    await server.start();
    const body = JSON.stringify('x'.repeat((2 << 20) - 2));
    expect((await call('POST', '/v1/cni', body)).text).toHaveLength((2 << 20) + '{"got":}'.length);
  });

  it('tells a stream when its caller has gone', async () => {
    await server.start();
    const left = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const out = request({ socketPath: path, path: '/stream' }, (response) => response.once('data', () => out.destroy()));
    out.on('error', () => undefined);
    out.end();
    await left;
  });

  it('takes over a socket that nobody answers on', async () => {
    await server.start();
    const left = join(dir, 'left.sock');
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(left, resolve));
    // As a killed process leaves it: the file stays, nobody listens.
    const kept = join(dir, 'kept.sock');
    linkSync(left, kept);
    await new Promise((resolve) => dead.close(resolve));
    const next = new UnixServer(kept, routes);
    await next.start();
    await next.stop();
  });

  it('leaves a socket alone on which somebody answers', async () => {
    await server.start();
    await expect(new UnixServer(path, routes).start()).rejects.toMatchObject({ code: 'SOCKET_TAKEN', object: path });
    expect((await call('GET', '/text')).status).toBe(200);
  });

  it('never removes what is not a socket', async () => {
    const file = join(dir, 'precious');
    writeFileSync(file, 'data');
    await expect(new UnixServer(file, routes).start()).rejects.toMatchObject({ code: 'SOCKET_TAKEN' });
    expect(readFileSync(file, 'utf8')).toBe('data');
    await server.start();
  });
});

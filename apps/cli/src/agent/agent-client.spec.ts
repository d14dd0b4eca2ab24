import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentClient } from './agent-client.ts';

let dir: string;
let socket: string;
let server: Server | undefined;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'isthmus-cli-'));
  socket = join(dir, 'agent.sock');
});

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
  await chmod(dir, 0o700);
  await rm(dir, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<AgentClient> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(socket, resolve));
  return new AgentClient(socket);
}

it('reads JSON', async () => {
  const agent = await serve((request, response) => void response.end(JSON.stringify({ path: request.url })));
  expect(await agent.get('/v1/tables/sink%2Fx?key=a%2Fb')).toEqual({ path: '/v1/tables/sink%2Fx?key=a%2Fb' });
});

it('posts JSON', async () => {
  const agent = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.end(JSON.stringify({ how: request.method, path: request.url, body }));
  });
  expect(await agent.post('/v1/bgp/drain', { draining: true })).toEqual({ how: 'POST', path: '/v1/bgp/drain', body: '{"draining":true}' });
});

it('hands on what the agent refuses with', async () => {
  const agent = await serve((_, response) => {
    response.statusCode = 404;
    response.end(JSON.stringify({ code: 'API_NOT_FOUND', object: 'x', message: 'there is no table x', action: 'Look.' }));
  });
  await expect(agent.get('/v1/tables/x')).rejects.toMatchObject({ code: 'API_NOT_FOUND', object: 'x', action: 'Look.' });
});

it('says when an answer is none', async () => {
  const agent = await serve((request, response) => void response.writeHead(request.url === '/bad' ? 500 : 200).end('<html>'));
  await expect(agent.get('/bad')).rejects.toMatchObject({ code: 'CLI_AGENT_ANSWER', message: 'status 500 without a reason' });
  await expect(agent.get('/odd')).rejects.toMatchObject({ code: 'CLI_AGENT_ANSWER' });
});

it('says why there is no agent', async () => {
  await expect(new AgentClient(socket).get('/')).rejects.toMatchObject({
    code: 'CLI_AGENT_DOWN',
    object: socket,
    message: 'there is no socket',
  });
  const agent = await serve((request) => request.socket.destroy());
  await expect(agent.get('/')).rejects.toMatchObject({ code: 'CLI_AGENT_DOWN' });
});

it('reads lines until it is told to stop', async () => {
  const agent = await serve((_, response) => void response.write('{"n":1}\n{"n":2}\n'));
  const stop = new AbortController();
  const seen: unknown[] = [];
  for await (const value of agent.lines('/v1/monitor', stop.signal)) {
    seen.push(value);
    if (seen.length === 2) stop.abort();
  }
  expect(seen).toEqual([{ n: 1 }, { n: 2 }]);
});

it('says when the agent goes away in the middle', async () => {
  const agent = await serve((_, response) => response.write('{"n":1}\n', () => response.destroy()));
  const read = async (): Promise<void> => {
    for await (const _ of agent.lines('/v1/monitor', new AbortController().signal));
  };
  await expect(read()).rejects.toMatchObject({ code: 'CLI_AGENT_DOWN' });
});

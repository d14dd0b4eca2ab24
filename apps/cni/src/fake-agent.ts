import { createServer, type IncomingMessage } from 'node:http';

/** One call as the agent sees it. */
export interface Call {
  method: string;
  url: string;
  body: string;
}

/** What the agent answers; `cut` closes the connection after half of the body, `silent` never answers. */
export type Answer = { status: number; body: string } | 'cut' | 'silent';

/** An agent's unix socket that records calls and answers what it is told to. For tests. */
export interface FakeAgent {
  calls: Call[];
  answer: Answer;
  stop(): Promise<void>;
}

/** Listens on `socket` until stopped. */
export async function startFakeAgent(socket: string): Promise<FakeAgent> {
  const agent: FakeAgent = { calls: [], answer: { status: 200, body: '{}' }, stop };
  const server = createServer(async (request, response) => {
    agent.calls.push({ method: request.method ?? '', url: request.url ?? '', body: await text(request) });
    if (agent.answer === 'silent') return;
    if (agent.answer === 'cut') {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"half"', () => response.destroy());
      return;
    }
    response.writeHead(agent.answer.status, { 'content-type': 'application/json' }).end(agent.answer.body);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socket, resolve));
  function stop(): Promise<void> {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  }
  return agent;
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

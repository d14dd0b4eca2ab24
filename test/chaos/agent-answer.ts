import { type IncomingHttpHeaders, request } from 'node:http';
import { agentSocket, type NodePlace } from '@isthmus/lab';

/** What an agent's socket answered. */
export interface AgentAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Asks a node's agent for something that is no JSON. */
export function agentAnswer(node: NodePlace, path: string): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: agentSocket(node), path, timeout: 2_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ headers: response.headers, text }));
    });
    call.on('timeout', () => call.destroy(new Error(`the agent of ${node.id} does not answer ${path}`)));
    call.on('error', reject);
    call.end();
  });
}

/** A metric of a node's agent, by its name and labels as they are printed; NaN when it has none such. */
export async function agentMetric(node: NodePlace, name: string): Promise<number> {
  const { text } = await agentAnswer(node, '/v1/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}

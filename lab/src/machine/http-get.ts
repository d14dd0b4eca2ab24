import { request } from 'node:http';

const TIMEOUT_MS = 2_000;

/** Asks a server behind a unix socket; undefined when nobody listens or the answer is no JSON with status 200. */
export function getJson(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode === 200 ? parsed(Buffer.concat(chunks).toString()) : undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A server that died while answering: as good as none.
  }
}

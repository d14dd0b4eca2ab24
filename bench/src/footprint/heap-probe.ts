/** The address at which a Node process listens after SIGUSR1. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list';
const [TRIES, PAUSE_MS] = [100, 20];

/** Runs in the network namespace of the process that it asks: prints the bytes of its heap that are in use after a full collection. */
async function main(): Promise<void> {
  const socket = new WebSocket(await debuggerUrl());
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  const ask = asker(socket);
  // The second one collects what finalizers of the first let go.
  for (let i = 0; i < 2; i++) await ask('HeapProfiler.collectGarbage');
  const { usedSize } = (await ask('Runtime.getHeapUsage')) as { usedSize: number };
  socket.close();
  console.log(usedSize);
}

async function debuggerUrl(): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      const [target] = (await (await fetch(INSPECTOR)).json()) as { webSocketDebuggerUrl: string }[];
      if (target) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function asker(socket: WebSocket): (method: string) => Promise<unknown> {
  let id = 0;
  return (method) =>
    new Promise((resolve, reject) => {
      const own = ++id;
      const onMessage = ({ data }: MessageEvent): void => {
        const answer = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: { message: string } };
        if (answer.id !== own) return;
        socket.removeEventListener('message', onMessage);
        if (answer.error) reject(new Error(answer.error.message));
        else resolve(answer.result);
      };
      socket.addEventListener('message', onMessage);
      socket.send(JSON.stringify({ id: own, method }));
    });
}

await main();

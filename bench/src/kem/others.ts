import { parentPort, workerData } from 'node:worker_threads';
import {
  type PairAnswer,
  PairExchangeClient,
  PairExchangeServer,
  type PairRequest,
  type PairSecretStore,
  PairSecrets,
} from '@isthmus/crypto';
import { type AskAll, CLUSTER, credentialOf, EPOCH, NODE, OTHERS, type OthersOptions, type OthersSaid, trustOf } from './exchange-end.ts';

/** As many as a node lets in at a time: there are always so many at its door. */
const AT_ONCE = 64;
const STORE: PairSecretStore = {
  load: async () => new Map(),
  saveSeed: async () => undefined,
  savePair: async () => undefined,
  readPair: async () => undefined,
  removePair: async () => undefined,
  file: () => '',
  remove: async () => undefined,
};

/** All other nodes of a mesh, in a thread of their own: what they do is not counted. */
async function main({ ca, nodeKey }: OthersOptions): Promise<void> {
  const secrets = new PairSecrets(STORE, true);
  await secrets.keep([EPOCH]);
  const credential = await credentialOf(ca, OTHERS);
  const accept = (_caller: string, request: PairRequest): Promise<PairAnswer> => secrets.accept(request);
  const server = new PairExchangeServer({
    address: '127.0.0.1',
    port: 0,
    credential: async () => credential,
    trust: trustOf(ca),
    accept,
    onRefused: () => undefined,
  });
  say({ port: await server.listen() });
  parentPort?.on('message', async ({ port, keys }: AskAll) => {
    const client = new PairExchangeClient({
      placeOf: () => ({ address: '127.0.0.1', port }),
      credential: async () => credential,
      trust: trustOf(ca),
    });
    const waiting = [...keys];
    const askOne = async (): Promise<void> => {
      for (let ownKey = waiting.pop(); ownKey !== undefined; ownKey = waiting.pop()) {
        const { request, confirm } = secrets.propose({ epoch: EPOCH, ownKey, peerKey: nodeKey });
        try {
          await confirm(await client.ask(`${CLUSTER}/${NODE}`, request));
        } catch {
          waiting.push(ownKey); // It was not let in, or waited for too long, and asks again.
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, askOne));
    say({ agreed: keys.length });
  });
}

function say(said: OthersSaid): void {
  parentPort?.postMessage(said);
}

await main(workerData as OthersOptions);

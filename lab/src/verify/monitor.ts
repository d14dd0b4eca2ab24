import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { agentSocket } from '../node/agent.ts';
import type { NodePlace } from '../topology/plan.ts';

/** A drop, as `isthmus monitor` shows it. */
export interface DropEvent {
  readonly type: string;
  readonly reason: string;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly source: string;
  readonly destination: string;
}

/** Listens to the events of a node's datapath. */
export class Monitor {
  readonly #call: ClientRequest;
  #text = '';
  #problem = '';

  /** Resolves when the agent has begun to listen for it: nothing that is dropped from then on is missed. @throws Error when it cannot */
  static listen(node: NodePlace): Promise<Monitor> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: agentSocket(node), path: '/v1/monitor' });
      call.once('error', reject).once('response', (response) => resolve(new Monitor(call, response)));
      call.end();
    });
  }

  private constructor(call: ClientRequest, response: IncomingMessage) {
    this.#call = call;
    call.on('error', (error) => {
      this.#problem = error.message;
    });
    response.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
    response.on('error', () => undefined); // the listener has ended the call
  }

  /** Everything that the agent has told of so far. @throws Error when the agent cannot be listened to any more */
  drops(): DropEvent[] {
    if (this.#problem !== '') throw new Error(`the agent cannot be listened to: ${this.#problem}`);
    const lines = this.#text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DropEvent).filter((event) => event.type === 'drop');
  }

  end(): void {
    this.#call.destroy();
  }
}

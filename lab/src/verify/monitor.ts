import { type ClientRequest, request } from 'node:http';
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

  constructor(node: NodePlace) {
    this.#call = request({ socketPath: agentSocket(node), path: '/v1/monitor' }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        this.#text += text;
      });
      response.on('error', () => undefined); // the listener has ended the call
    });
    this.#call.on('error', (error) => {
      this.#problem = error.message;
    });
    this.#call.end();
  }

  /** Everything that was dropped since. @throws Error when the agent cannot be listened to */
  drops(): DropEvent[] {
    if (this.#problem !== '') throw new Error(`the agent cannot be listened to: ${this.#problem}`);
    const lines = this.#text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as DropEvent).filter((event) => event.type === 'drop');
  }

  end(): void {
    this.#call.destroy();
  }
}

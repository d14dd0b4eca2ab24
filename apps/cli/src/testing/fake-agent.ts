import { CodedError } from '@isthmus/core';
import type { AgentApi } from '../agent/agent-api.ts';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';

/** An agent that gives prepared answers, by path. One that is an Error is thrown; a function is called for each request. */
export class FakeAgent implements AgentApi {
  readonly answers: Record<string, unknown> = {};
  /** What `lines` gives before the agent goes away. */
  events: unknown[] = [];
  readonly asked: string[] = [];
  /** What was posted, by path. */
  readonly posted: [string, unknown][] = [];

  async get(path: string): Promise<unknown> {
    this.asked.push(path);
    const prepared = this.answers[path];
    const answer = typeof prepared === 'function' ? prepared() : prepared;
    if (answer instanceof Error) throw answer;
    if (answer === undefined)
      throw new CodedError({ code: 'API_NOT_FOUND', meaning: '', action: 'Look.' }, `nothing at ${path}`, { object: path });
    return answer;
  }

  async post(path: string, body: unknown): Promise<unknown> {
    this.posted.push([path, body]);
    return await this.get(`POST ${path}`);
  }

  async text(path: string): Promise<string> {
    return String(await this.get(path));
  }

  async *lines(): AsyncIterable<unknown> {
    yield* this.events;
    throw new CodedError(CLI_AGENT_DOWN, 'the agent went away');
  }
}

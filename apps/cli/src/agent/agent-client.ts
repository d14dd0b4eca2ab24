import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { CodedError, type ErrorCode, messageOf } from '@isthmus/core';
import { refusalSchema } from '@isthmus/crypto';
import { CLI_AGENT_ANSWER, CLI_AGENT_DENIED, CLI_AGENT_DOWN } from '../cli.errors.ts';
import type { AgentApi } from './agent-api.ts';

/** An agent that accepts and then says nothing for this long counts as down. Milliseconds. */
const TIMEOUT_MS = 15_000;

/** HTTP over the agent's unix socket. */
export class AgentClient implements AgentApi {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async get(path: string): Promise<unknown> {
    return this.#json(path, await this.text(path));
  }

  async post(path: string, body: unknown): Promise<unknown> {
    return this.#json(path, await this.#answer(path, JSON.stringify(body)));
  }

  async text(path: string): Promise<string> {
    return await this.#answer(path);
  }

  async #answer(path: string, body?: string): Promise<string> {
    const response = await this.#open(path, AbortSignal.timeout(TIMEOUT_MS), body);
    const text = await this.#text(response);
    if (response.statusCode !== 200) throw this.#refusal(response.statusCode, parseJson(text));
    return text;
  }

  #json(path: string, text: string): unknown {
    const body = parseJson(text);
    if (body === undefined) throw this.#fault(CLI_AGENT_ANSWER, `${path} answered no JSON`);
    return body;
  }

  async *lines(path: string, signal: AbortSignal): AsyncIterable<unknown> {
    const response = await this.#open(path, signal);
    if (response.statusCode !== 200) throw this.#refusal(response.statusCode, parseJson(await this.#text(response)));
    try {
      for await (const line of createInterface({ input: response })) yield parseJson(line);
    } catch (cause) {
      if (!signal.aborted) throw this.#fault(CLI_AGENT_DOWN, `the agent went away: ${messageOf(cause)}`, cause);
    }
    if (!signal.aborted) throw this.#fault(CLI_AGENT_DOWN, 'the agent went away');
  }

  /** With a body it is a POST. */
  #open(path: string, signal: AbortSignal, body?: string): Promise<IncomingMessage> {
    const how = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' } };
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: this.#socket, path, signal, agent: false, ...how }, resolve);
      sent.once('error', (error) => reject(signal.aborted ? this.#aborted(signal, error) : this.#unreachable(error)));
      sent.end(body);
    });
  }

  async #text(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of response) chunks.push(chunk as Buffer);
    } catch (cause) {
      throw this.#fault(CLI_AGENT_DOWN, `the agent went away in the middle of its answer: ${messageOf(cause)}`, cause);
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  #unreachable(error: Error & { code?: string }): CodedError {
    if (error.code === 'EACCES' || error.code === 'EPERM') return this.#fault(CLI_AGENT_DENIED, 'permission denied', error);
    const why = error.code === 'ENOENT' ? 'there is no socket' : error.code === 'ECONNREFUSED' ? 'nobody listens' : error.message;
    return this.#fault(CLI_AGENT_DOWN, why, error);
  }

  #aborted(signal: AbortSignal, error: Error): unknown {
    const timedOut = (signal.reason as { name?: unknown } | null)?.name === 'TimeoutError';
    return timedOut ? this.#fault(CLI_AGENT_DOWN, `no answer within ${TIMEOUT_MS / 1000} seconds`, error) : error;
  }

  #refusal(status: number | undefined, body: unknown): CodedError {
    const refusal = refusalSchema.safeParse(body);
    if (!refusal.success) return this.#fault(CLI_AGENT_ANSWER, `status ${status} without a reason`);
    const { code, message, action, object } = refusal.data;
    return new CodedError({ code, meaning: message, action }, message, object === undefined ? {} : { object });
  }

  #fault(kind: ErrorCode, message: string, cause?: unknown): CodedError {
    return new CodedError(kind, message, { object: this.#socket, ...(cause === undefined ? {} : { cause }) });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whoever reads the answer tells undefined, which JSON cannot say, from every real one.
    return undefined;
  }
}

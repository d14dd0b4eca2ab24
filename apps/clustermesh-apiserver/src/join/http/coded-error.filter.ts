import { CodedError } from '@isthmus/core';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { JOIN_INTERNAL, JOIN_NO_SUCH_CALL, JOIN_REQUEST_INVALID } from '../join.errors.ts';
import type { JoinLog } from '../ports.ts';
import { httpStatus } from './http-status.ts';

/** Answers every failure as `{code, object, message, action}`. What is not a refusal is logged in full and told in general. */
@Catch()
export class CodedErrorFilter implements ExceptionFilter {
  readonly #log: JoinLog;

  constructor(log: JoinLog) {
    this.#log = log;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const refusal = asRefusal(thrown);
    const status = httpStatus(refusal);
    if (status === 500) this.#log.error({ err: thrown, code: refusal.code }, 'a call to the join API failed');
    const { cause: _, ...body } = refusal.toJSON();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    reply.status(status).send(body);
  }
}

function asRefusal(thrown: unknown): CodedError {
  if (thrown instanceof CodedError) return thrown;
  const status = statusOf(thrown);
  if (status === 404) return new CodedError(JOIN_NO_SUCH_CALL, 'there is no such call');
  if (status >= 400 && status < 500) return new CodedError(JOIN_REQUEST_INVALID, 'the body is not JSON, or too long');
  return new CodedError(JOIN_INTERNAL, 'the call failed inside the server');
}

/** Nest's exceptions and Fastify's parser errors carry their status in different places. */
function statusOf(thrown: unknown): number {
  const error = thrown as { getStatus?: () => number; statusCode?: number } | null;
  return error?.getStatus?.() ?? error?.statusCode ?? 500;
}

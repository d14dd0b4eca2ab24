import { CodedError } from '@isthmus/core';
import type { PipeTransform } from '@nestjs/common';
import type { z } from 'zod';
import { JOIN_REQUEST_INVALID } from '../join.errors.ts';

/** Checks a body against a schema; fields that the schema does not know are dropped. */
export class ZodBody<T> implements PipeTransform<unknown, T> {
  readonly #schema: z.ZodType<T>;

  constructor(schema: z.ZodType<T>) {
    this.#schema = schema;
  }

  /** @throws CodedError JOIN_REQUEST_INVALID naming the field; its value is not repeated */
  transform(body: unknown): T {
    const result = this.#schema.safeParse(body);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const path = issue?.path.join('.') || '(body)';
    throw new CodedError(JOIN_REQUEST_INVALID, `${path}: ${issue?.message ?? 'malformed'}`, { object: path });
  }
}

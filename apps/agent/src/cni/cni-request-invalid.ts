import { CodedError } from '@isthmus/core';
import { CNI_REQUEST_INVALID } from '../agent.errors.ts';

/** CNI_REQUEST_INVALID: names the part of the call that is wrong, and the number that the CNI specification has for it. */
export class CniRequestInvalid extends CodedError {
  /** See CNI specification §5, "Error". */
  readonly number: number;

  constructor(part: string, why: string, number: number) {
    super(CNI_REQUEST_INVALID, `${part}: ${why}`, { object: part });
    this.number = number;
  }
}

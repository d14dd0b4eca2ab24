import { inspect } from 'node:util';

/** A text that is used and never shown: tables, logs and errors print a note in its place. */
export class SecretText {
  /** An ordinary property, so that rows of equal secrets are equal. */
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }

  toJSON(): string {
    return '(not shown)';
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}

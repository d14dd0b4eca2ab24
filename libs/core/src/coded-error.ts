/** What a coded error says besides its message. */
export interface ErrorDetail {
  /** Name of the thing that the error is about: a key, a node, a map, a file. */
  object?: string;
  /** What the reader can do about it, one sentence. */
  action?: string;
  /** The error underneath. */
  cause?: unknown;
}

/** One entry of the registry that `docs/errors.md` is printed from. */
export interface ErrorCode {
  readonly code: string;
  /** When it is raised, one sentence. */
  readonly meaning: string;
  /** What to do, unless the place that raises it knows better. */
  readonly action: string;
}

const registry = new Map<string, ErrorCode>();

/**
 * Declares an error code. Codes are unique in the process and never change their meaning.
 * @throws Error when the code is declared twice
 */
export function defineError(code: string, meaning: string, action: string): ErrorCode {
  if (registry.has(code)) throw new Error(`error code ${code} is declared twice`);
  const entry = Object.freeze({ code, meaning, action });
  registry.set(code, entry);
  return entry;
}

/** Every code declared so far, by name. */
export function errorCodes(): readonly ErrorCode[] {
  return [...registry.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** An error that a person or a program can act on: a stable code, the object's name, the cause, what to do next. */
export class CodedError extends Error {
  override readonly name = 'CodedError';
  readonly code: string;
  readonly object: string | undefined;
  readonly action: string;

  constructor(kind: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = kind.code;
    this.object = detail.object;
    this.action = detail.action ?? kind.action;
  }

  /** The form that APIs and `-o json` print. The cause is reduced to its message: causes may hold secrets in their fields. */
  toJSON(): { code: string; object?: string; message: string; action: string; cause?: string } {
    return {
      code: this.code,
      ...(this.object === undefined ? {} : { object: this.object }),
      message: this.message,
      action: this.action,
      ...(this.cause === undefined ? {} : { cause: messageOf(this.cause) }),
    };
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** True when `thrown` is a {@link CodedError} of this kind, also across copies of this module. */
export function isCoded(thrown: unknown, kind: ErrorCode): thrown is CodedError {
  return thrown instanceof Error && (thrown as { code?: unknown }).code === kind.code;
}

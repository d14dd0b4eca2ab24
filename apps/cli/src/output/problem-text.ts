/** A problem as APIs tell it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly action: string;
  readonly cause?: unknown;
}

/** What is wrong with what, why, and what to do about it: two lines. */
export function problemText(about: string, { code, message, action, cause }: Problem): string {
  const why = typeof cause === 'string' && !message.includes(cause) ? `: ${cause}` : '';
  return `${about}: ${code}: ${message}${why}\n  what to do: ${action}\n`;
}

/** Meanings that have a colour. */
export type Tone = 'good' | 'bad' | 'doubtful' | 'heading';

const CODES: Readonly<Record<Tone, number>> = { good: 32, bad: 31, doubtful: 33, heading: 1 };

/** Colours a text, where colours are wanted. */
export function paint(colour: boolean, tone: Tone, text: string): string {
  return colour ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text;
}

/** Whether to colour: on a terminal, and not against https://no-color.org. */
export function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

import { frame, MESSAGE_TYPE } from './framing.ts';

/** A NOTIFICATION, RFC 4271 §4.5. */
export interface Notification {
  readonly code: number;
  readonly subcode: number;
  readonly data?: Uint8Array;
  /** Shutdown communication, RFC 9003: of Cease 6/2 and 6/4 only. */
  readonly text?: string;
  /** The Cease subcode inside a hard reset, RFC 8538 §3.1. */
  readonly inner?: number;
}

const CEASE = 6;
const HARD_RESET = 9;
/** Cease subcodes that may carry a text, RFC 9003 §2. */
const WITH_TEXT: readonly number[] = [2, 4];
/** Longest text in bytes, RFC 9003 §2. */
const MAX_TEXT = 255;

/** A whole message. A text that is too long is cut at a character. */
export function encodeNotification({ code, subcode, data, text, inner }: Notification): Uint8Array {
  const payload = data ?? (text === undefined ? new Uint8Array(0) : encodeText(text));
  const head = inner === undefined ? [code, subcode] : [code, HARD_RESET, CEASE, inner];
  const body = new Uint8Array(head.length + payload.length);
  body.set(head);
  body.set(payload, head.length);
  return frame(MESSAGE_TYPE.notification, body);
}

/** Reads a body; never fails, because there is nobody to tell, RFC 4271 §6.4. */
export function parseNotification(body: Uint8Array): Notification {
  const [code = 0, subcode = 0] = body;
  const data = body.slice(2);
  if (code !== CEASE) return { code, subcode, data };
  if (subcode === HARD_RESET && data.length >= 2) return { code, subcode, inner: data[1]!, data, ...textOf(data[1]!, data.subarray(2)) };
  return { code, subcode, data, ...textOf(subcode, data) };
}

const CODES = [
  '',
  'message header error',
  'OPEN message error',
  'UPDATE message error',
  'hold timer expired',
  'finite state machine error',
  'cease',
  'ROUTE-REFRESH message error',
  'send hold timer expired',
];
const CEASES = [
  '',
  'maximum number of prefixes reached',
  'administrative shutdown',
  'peer de-configured',
  'administrative reset',
  'connection rejected',
  'other configuration change',
  'connection collision resolution',
  'out of resources',
  'hard reset',
  'BFD down',
];
const OPENS = [
  '',
  'unsupported version number',
  'bad peer AS',
  'bad BGP identifier',
  'unsupported optional parameter',
  '',
  'unacceptable hold time',
  'unsupported capability',
];

/** What people call a NOTIFICATION, with its numbers. */
export function notificationName(code: number, subcode: number): string {
  const detail = code === CEASE ? CEASES[subcode] : code === 2 ? OPENS[subcode] : undefined;
  return `${CODES[code] || 'unknown error'}${detail ? `, ${detail}` : ''} (${code}/${subcode})`;
}

function encodeText(text: string): Uint8Array {
  const out = new Uint8Array(MAX_TEXT + 1);
  const { written } = new TextEncoder().encodeInto(text, out.subarray(1));
  out[0] = written;
  return out.subarray(0, written + 1);
}

function textOf(subcode: number, data: Uint8Array): { text?: string } {
  const length = data[0] ?? 0;
  if (!WITH_TEXT.includes(subcode) || length === 0 || data.length < length + 1) return {};
  // What a peer says goes to logs and terminals: no control characters.
  return { text: new TextDecoder().decode(data.subarray(1, length + 1)).replace(/\p{Cc}/gu, ' ') };
}

import { MESSAGE_TYPE, MessageFramer } from '../src/message/framing.ts';
import { KEEPALIVE } from '../src/message/keepalive.ts';
import { type Notification, parseNotification } from '../src/message/notification.ts';
import { encodeOpen, type Open, parseOpen } from '../src/message/open.ts';
import type { BgpConnection, BgpTransport, ConnectionHandlers, ConnectOptions } from '../src/session/bgp-transport.ts';

/** A connection whose other end is the spec. Bytes arrive at once; nothing happens by itself. */
export class ScriptedConnection implements BgpConnection {
  readonly local = { address: '192.0.2.1', port: 40000 };
  readonly remote: { readonly address: string; readonly port: number };
  /** How this side closed it. */
  closed: 'ended' | 'destroyed' | undefined;
  /** What {@link write} answers: false is a full socket. */
  takes = true;
  readonly #framer = new MessageFramer();
  readonly #sent: { type: number; body: Uint8Array }[] = [];
  #handlers: ConnectionHandlers | undefined;

  constructor(address = '192.0.2.2') {
    this.remote = { address, port: 179 };
  }

  start(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): boolean {
    this.#framer.push(bytes);
    for (let message = this.#framer.next(); message !== undefined; message = this.#framer.next()) {
      this.#sent.push({ type: message.type, body: message.body.slice() });
    }
    return this.takes;
  }

  end(): void {
    this.closed ??= 'ended';
  }

  destroy(): void {
    this.closed ??= 'destroyed';
  }

  /** Types of the messages that were sent so far. */
  get types(): number[] {
    return this.#sent.map(({ type }) => type);
  }

  /** The OPEN that was sent. */
  get open(): Open {
    return parseOpen(this.#sent.find(({ type }) => type === MESSAGE_TYPE.open)!.body);
  }

  /** The NOTIFICATION that was sent. */
  get notification(): Notification | undefined {
    const sent = this.#sent.find(({ type }) => type === MESSAGE_TYPE.notification);
    return sent === undefined ? undefined : parseNotification(sent.body);
  }

  /** The peer sends bytes. */
  receive(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.#handlers?.onBytes(message);
  }

  /** The peer sends its OPEN and confirms ours. */
  handshake(open: Open): void {
    this.receive(encodeOpen(open), KEEPALIVE);
  }

  /** The socket takes bytes again. */
  drain(): void {
    this.takes = true;
    this.#handlers?.onDrain();
  }

  /** The connection breaks. */
  lose(error?: Error): void {
    this.#handlers?.onClosed(error);
  }
}

/** A transport whose attempts wait for the spec. */
export class ScriptedTransport implements BgpTransport {
  readonly attempts: {
    options: ConnectOptions;
    signal: AbortSignal;
    succeed: () => Promise<ScriptedConnection>;
    fail: (error: Error) => Promise<void>;
  }[] = [];

  connect(options: ConnectOptions, signal: AbortSignal): Promise<BgpConnection> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      this.attempts.push({
        options,
        signal,
        succeed: async () => {
          const connection = new ScriptedConnection();
          resolve(connection);
          await settled();
          return connection;
        },
        fail: (error) => {
          reject(error);
          return settled();
        },
      });
    });
  }

  listen(): never {
    throw new Error('nobody listens here');
  }
}

/** Lets what waits for promises run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

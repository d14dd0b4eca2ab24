import type { Socket } from 'node:net';
import type { BgpConnection, BgpEndpoint, ConnectionHandlers } from '../session/bgp-transport.ts';

/** How long a closing connection may take to hand over its last bytes before it is cut, in milliseconds. */
const LINGER_MS = 2_000;
/** So much is handed over in one turn of the loop: a chunk of Node is several times that, and several chunks come at once. */
const PIECE_BYTES = 4_096;

/** A connection over a socket of Node, which arrives paused. */
export class TcpConnection implements BgpConnection {
  readonly local: BgpEndpoint;
  readonly remote: BgpEndpoint;
  readonly #socket: Socket;
  #ending = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    socket.setNoDelay(true);
    socket.on('error', () => {}); // Errors before start() show in onClosed as well: 'close' comes after them.
  }

  start({ onBytes, onDrain, onClosed }: ConnectionHandlers): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('data', (bytes) => this.#handOver(bytes, onBytes));
    socket.on('drain', onDrain);
    socket.once('end', () => socket.end());
    socket.once('close', () => onClosed(failure ?? socket.errored ?? undefined));
    if (socket.closed) queueMicrotask(() => onClosed(socket.errored ?? undefined));
    socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#socket.writable) return this.#socket.write(bytes);
    return true; // It is closing: onClosed tells.
  }

  end(): void {
    const socket = this.#socket;
    this.#ending = true;
    socket.removeAllListeners('data');
    socket.resume(); // What the peer still sends is read and dropped, so that the kernel sends no RST before our last bytes.
    socket.end();
    socket.setTimeout(LINGER_MS, () => socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** One piece now, the others in turns of their own; the socket is read on after them. */
  #handOver(bytes: Uint8Array, onBytes: ConnectionHandlers['onBytes']): void {
    this.#socket.pause();
    onBytes(bytes.subarray(0, PIECE_BYTES));
    setImmediate(() => {
      if (bytes.length <= PIECE_BYTES || this.#ending || this.#socket.destroyed) this.#socket.resume();
      else this.#handOver(bytes.subarray(PIECE_BYTES), onBytes);
    });
  }
}

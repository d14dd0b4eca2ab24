import { connect, createServer, type Socket } from 'node:net';

/** What a delay line is told, as JSON in its first argument. */
export interface DelayLineArguments {
  /** Each direction's, milliseconds. */
  readonly delayMs: number;
  /** Ports that it listens at, and those of the same machine that it speaks to. */
  readonly ports: readonly { readonly at: number; readonly to: number }[];
}

/** Hands on what comes, as late as it is told, and in order: timers of one duration fire in the order in which they were set. */
function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
  from.on('close', () => setTimeout(() => to.destroy(), 2 * delayMs));
}

/** Makes the network between a store and its clients longer. It ends when its standard input does. */
function main({ delayMs, ports }: DelayLineArguments): void {
  for (const { at, to } of ports)
    createServer({ noDelay: true }, (client) => {
      const server = connect({ host: '127.0.0.1', port: to, noDelay: true });
      pass(client, server, delayMs);
      pass(server, client, delayMs);
    }).listen(at);
  process.stdin.on('end', () => process.exit()).resume();
}

main(JSON.parse(process.argv[2] ?? '') as DelayLineArguments);

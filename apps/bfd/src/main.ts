import { randomInt } from 'node:crypto';
import { becomeRealTime, UdpBfdTransport } from '@isthmus/bgp';
import { CodedError, createLogger, LOG, type Log, type Random, systemClock } from '@isthmus/core';
import { type Config, parseConfig, readConfigSources } from '@isthmus/model';
import { BfdProcess } from './bfd-process.ts';

/** Exit status of a process that cannot run as it is configured; others are for crashes. */
const EXIT_CONFIG = 78;
/** Before everything that is not real-time, after everything of the kernel that is. */
const PRIORITY = 10;
const RANDOM_RANGE = 2 ** 47;

const random: Random = () => randomInt(RANDOM_RANGE) / RANDOM_RANGE;

try {
  const { config, warnings } = parseConfig(readConfigSources(process.argv.slice(2)));
  const log = createLogger('bfd', config['log-level']);
  for (const warning of warnings) log.warn(warning);
  await run(config, log);
} catch (error) {
  createLogger('bfd', 'info').fatal({ [LOG.error]: error }, error instanceof CodedError ? error.message : 'the BFD process cannot start');
  process.exit(error instanceof CodedError ? EXIT_CONFIG : 1);
}

/** By hand, without Nest: there is nothing to inject, and this is one more process on every node (docs/adr/0013-bfd-process.md). */
async function run(config: Config, log: Log): Promise<void> {
  const realTime = becomeRealTime(PRIORITY, (why) => log.error(why));
  if (!realTime.fifo) log.warn(realTime.error);
  const bfd = new BfdProcess({
    socketPath: config['bfd-socket-path'],
    clock: systemClock,
    random,
    transport: new UdpBfdTransport(random),
    realTime,
    log,
  });
  const stop = async (signal: string): Promise<void> => {
    log.info({ [LOG.signal]: signal }, 'stopping; peers are told');
    await bfd.stop();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop('SIGTERM'));
  process.once('SIGINT', () => void stop('SIGINT'));
  await bfd.start();
  log.info('BFD is running');
}

import { LOG, type Log, type SinkContext } from '@isthmus/core';

/** Writes down when rows of a sink fail, and when all are well again; `isthmus status` lists them. */
export function sinkReport(log: Log): NonNullable<SinkContext['report']> {
  return (sink, trouble) => {
    if (trouble === 'over') log.info({ [LOG.sink]: sink }, 'everything that failed has been written');
    else log.warn({ [LOG.sink]: sink, [LOG.key]: trouble.key, [LOG.error]: trouble.error }, 'rows cannot be written, and are tried again');
  };
}

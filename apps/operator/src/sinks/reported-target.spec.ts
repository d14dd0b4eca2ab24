import { CodedError, type Log, type SinkFailures } from '@isthmus/core';
import { OPERATOR_NOT_LEADER } from '../operator.errors.ts';
import { ReportedTarget } from './reported-target.ts';

function bench() {
  const said: string[] = [];
  const note = (level: string) => (_: object, message?: string) => void said.push(`${level}: ${message}`);
  const log: Log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  let failures: SinkFailures | undefined;
  const failed: string[] = [];
  const inner = { update: async () => failures, delete: async () => failures };
  const target = new ReportedTarget('s', inner, log, (key) => failed.push(key));
  const update = (error?: Error) => {
    failures = error && new Map([['a', error]]);
    return target.update([{ key: 'a', row: 1 }]);
  };
  return { said, failed, update };
}

describe('ReportedTarget', () => {
  it('says once that a row fails, and once that it is well', async () => {
    const { said, failed, update } = bench();
    for (const error of [new Error('no'), new Error('no'), undefined, undefined]) await update(error);
    expect(said).toEqual(['warn: failed, is tried again', 'info: works again']);
    expect(failed).toEqual(['a', 'a']);
  });

  it('complains of no row that was being written when the lead went', async () => {
    const { said, failed, update } = bench();
    const failures = await update(new CodedError(OPERATOR_NOT_LEADER, 'this operator does not lead any more'));
    expect([said, failed]).toEqual([[], []]);
    expect([...failures!.keys()]).toEqual(['a']);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, type ProcessRecord, ProcessRecords } from './process-record.ts';
import { startTime } from './process-stat.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-records-'));
afterAll(() => rmSync(folder, { recursive: true }));

const own = (changes: Partial<ProcessRecord> = {}): ProcessRecord => ({
  id: 'east/n1/agent',
  place: 'east/n1',
  pid: process.pid,
  startTime: startTime(process.pid) ?? '',
  argv: ['agent'],
  log: '/dev/null',
  ...changes,
});

describe('a process record', () => {
  it('is alive while this very process runs', () => {
    expect(isAlive(own())).toBe(true);
  });

  it('is dead when its id has become somebody else', () => {
    expect(isAlive(own({ startTime: '1' }))).toBe(false);
  });

  it('comes back as it was written', () => {
    const records = new ProcessRecords(join(folder, 'processes'));
    expect(records.list()).toEqual([]);
    records.write(own());
    records.write(own({ id: 'east/etcd' }));
    expect(records.list().map((record) => record.id)).toEqual(['east/etcd', 'east/n1/agent']);
    expect(records.get('east/n1/agent')).toEqual(own());
    records.remove('east/etcd');
    expect(records.get('east/etcd')).toBeUndefined();
  });
});

import { removedBackends } from './removed-backends.ts';
import type { FrontendRow } from './rows.ts';

const row = (backends: string[], idle: string[] = []): FrontendRow => ({
  vip: '10.96.0.10',
  port: 80,
  protocol: 'TCP',
  namespace: 'default',
  name: 'echo',
  global: true,
  affinity: 'local',
  backends,
  backendClusters: backends.map(() => 1),
  idle,
});
const gone = (before?: FrontendRow, now?: FrontendRow) => removedBackends('f', before, now).map(({ backend }) => backend);

describe('removedBackends', () => {
  it('names those that are there no more, idle ones too', () => {
    expect(removedBackends('f', row(['a', 'b']), row(['b', 'c']))).toEqual([{ frontend: 'f', backend: 'a' }]);
    expect(gone(row(['a'], ['b']), row(['a']))).toEqual(['b']);
  });

  it('leaves connections to those alone that only get no new ones', () => {
    expect(gone(row(['remote']), row(['local'], ['remote']))).toEqual([]);
    expect(gone(row(['local'], ['remote']), row(['remote'], ['local']))).toEqual([]);
  });

  it('names all when the frontend goes, none when it comes', () => {
    expect(gone(row(['a'], ['b']), undefined)).toEqual(['a', 'b']);
    expect(gone(undefined, row(['a']))).toEqual([]);
  });
});

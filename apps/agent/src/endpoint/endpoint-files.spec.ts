import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EndpointRow } from '@isthmus/model';
import { StateFolder } from '../state/state-folder.ts';
import { EndpointFiles } from './endpoint-files.ts';
import { temporaryState } from './endpoint-fixture.ts';

const row: EndpointRow = {
  id: 3,
  network: 'isthmus',
  containerId: 'c',
  namespace: 'n',
  pod: 'p',
  podUid: '',
  interfaceName: 'isth1',
  ifindex: 4,
  podInterface: 'eth0',
  netns: '/n',
  mac: 'm',
  hostMac: 'h',
  ipv4: '10.0.0.1',
  ipv6: '',
  mtu: 1450,
  labels: '',
  identity: 5,
};

describe('EndpointFiles', () => {
  let state: ReturnType<typeof temporaryState>;
  beforeEach(() => {
    state = temporaryState();
  });
  afterEach(() => state.remove());

  it('reads what it wrote, and removes it', () => {
    const files = new EndpointFiles(new StateFolder(state.path));
    files.save(row);
    files.save({ ...row, identity: 6 });
    expect(new EndpointFiles(new StateFolder(state.path)).load(unexpected)).toEqual([{ ...row, identity: 6 }]);
    files.remove(3);
    files.remove(3);
    expect(files.load(unexpected)).toEqual([]);
  });

  it('lets nobody else read them', () => {
    new EndpointFiles(new StateFolder(state.path)).save(row);
    const dir = join(state.path, 'endpoints');
    expect([statSync(dir).mode & 0o777, statSync(join(dir, '3.json')).mode & 0o777]).toEqual([0o700, 0o600]);
  });

  it('never shows half a file: a crash while writing leaves the old one', () => {
    const files = new EndpointFiles(new StateFolder(state.path));
    files.save(row);
    writeFileSync(join(state.path, 'endpoints', '3.json.tmp'), '{"id":3,"con');
    expect(files.load(unexpected)).toEqual([row]);
    files.save({ ...row, identity: 9 });
    expect(readdirSync(join(state.path, 'endpoints'))).toEqual(['3.json']);
  });

  it.each(['', '{', 'null', '[]', '{"id":4}', JSON.stringify({ ...row, ipv4: 7 }), JSON.stringify({ ...row, identity: '5' })])(
    'reports %j and goes on',
    (text) => {
      const files = new EndpointFiles(new StateFolder(state.path));
      files.save({ ...row, id: 1 });
      writeFileSync(join(state.path, 'endpoints', '3.json'), text);
      const broken: string[] = [];
      expect(files.load((file) => broken.push(file))).toEqual([{ ...row, id: 1 }]);
      expect(broken).toEqual([join(state.path, 'endpoints', '3.json')]);
    },
  );
});

function unexpected(file: string, error: unknown): never {
  throw new Error(file, { cause: error });
}

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CILIUM_BGP_PEER_CONFIG, parseResource } from '@isthmus/model';
import { StateFolder } from '../state/state-folder.ts';
import { KeptBgpFile } from './kept-bgp-file.ts';

const KEPT = {
  resources: [
    parseResource(CILIUM_BGP_PEER_CONFIG, { apiVersion: 'cilium.io/v2', kind: 'CiliumBGPPeerConfig', metadata: { name: 'tor' }, spec: {} }),
  ],
  origins: [['pod-cidrs', { prefixes: [{ prefix: '10.0.0.0/24', entries: ['pods#0'] }] }]] as const,
};

let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isthmus-kept-bgp-'));
  path = join(dir, 'bgp.json');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = (bootId = 'boot-1'): KeptBgpFile => new KeptBgpFile(new StateFolder(dir), bootId);

it('keeps what it is given until the machine starts again, for root alone', () => {
  expect(file().load()).toBeUndefined();
  file().save(KEPT);
  expect(file().load()).toEqual(KEPT);
  expect(file('boot-2').load()).toBeUndefined();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it('writes nothing when nothing is another', () => {
  const one = file();
  one.save(KEPT);
  rmSync(path);
  one.save(KEPT);
  expect(file().load()).toBeUndefined();
  one.save({ ...KEPT, origins: [] });
  expect(file().load()).toEqual({ ...KEPT, origins: [] });
});

it.each<[string, (text: string) => string]>([
  ['nothing', () => ''],
  ['half of it', (text) => text.slice(0, -10)],
  ['null', () => 'null'],
  ['a kind that there is not', (text) => text.replace('CiliumBGPPeerConfig', 'CiliumBGPPear')],
  ['a spec of another shape', (text) => text.replace('"spec":{}', '"spec":{"timers":"soon"}')],
  ['a prefix that is none', (text) => text.replace('10.0.0.0/24', '10.0.0.0/240')],
])('takes a broken file for none: %s', (_, broken) => {
  file().save(KEPT);
  writeFileSync(path, broken(readFileSync(path, 'utf8')));
  expect(file().load()).toBeUndefined();
});

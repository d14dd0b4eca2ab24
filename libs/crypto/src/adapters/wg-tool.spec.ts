import { WgTool } from './wg-tool.ts';

it('names no networks of a peer whose keepalive alone changes: wg would take them away first', async () => {
  const calls: string[] = [];
  const wg = new WgTool(async (program, words) => {
    calls.push([program, ...words].join(' '));
    return Buffer.alloc(0);
  });
  await wg.setKeepalive('isth_wg_odd', [
    { publicKey: 'one=', keepaliveSeconds: 1 },
    { publicKey: 'two=', keepaliveSeconds: 0 },
    { publicKey: 'three=', keepaliveSeconds: 1, presharedKeyFile: '/three.psk' },
  ]);
  const three = 'peer three= preshared-key /three.psk persistent-keepalive 1';
  expect(calls).toEqual([`wg set isth_wg_odd peer one= persistent-keepalive 1 peer two= persistent-keepalive 0 ${three}`]);
});

it('tells wg in which files keys are, and never a secret one: whoever is on the machine can read its command line', async () => {
  const calls: string[] = [];
  const wg = new WgTool(async (_, words) => {
    calls.push(words.join(' '));
    return Buffer.alloc(0);
  });
  await wg.setUp('isth_wg_even', { privateKeyFile: '/keys/epoch-2.key', listenPort: 51_871, mark: 0xe00 });
  const peer = { publicKey: 'theirs=', endpoint: { address: '192.0.2.1', port: 51_871 }, allowedIps: ['10.1.0.0/24'], keepaliveSeconds: 1 };
  await wg.putPeers('isth_wg_even', [{ ...peer, presharedKeyFile: '/keys/theirs.psk' }, peer]);
  const rest = 'endpoint 192.0.2.1:51871 persistent-keepalive 1 allowed-ips 10.1.0.0/24';
  expect(calls).toEqual([
    'set isth_wg_even private-key /keys/epoch-2.key listen-port 51871 fwmark 0xe00',
    `set isth_wg_even peer theirs= preshared-key /keys/theirs.psk ${rest} peer theirs= preshared-key /dev/null ${rest}`,
  ]);
});

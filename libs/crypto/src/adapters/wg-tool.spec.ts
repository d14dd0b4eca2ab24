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

import { existsSync } from 'node:fs';
import { UapiWireGuard, WgTool, type WireGuardPort } from '@isthmus/crypto';
import { describeWireGuardPort, type WireGuardSubject } from '../../libs/crypto/testing/wireguard-port.contract.ts';
import { DaemonDevice } from './daemon-device.ts';

/** A device that a daemon serves, and a way to it. */
async function subject(portOf: (device: DaemonDevice) => WireGuardPort): Promise<WireGuardSubject> {
  const device = await DaemonDevice.start();
  return { port: portOf(device), device: device.name, remove: () => device.remove() };
}

describeWireGuardPort('wg, of wireguard-go', () => subject(({ run }) => new WgTool(run)));
describeWireGuardPort("wireguard-go's socket", () => subject(() => new UapiWireGuard()));

it('the socket of a daemon that was killed is no device', async () => {
  const device = await DaemonDevice.start();
  try {
    await device.kill();
    expect(existsSync(device.socket)).toBe(true);
    expect(await new UapiWireGuard().show(device.name)).toBeUndefined();
    await expect(new UapiWireGuard().removePeers(device.name, [])).rejects.toMatchObject({
      code: 'WIREGUARD_DEVICE',
      object: device.name,
      message: expect.stringContaining('nobody serves it'),
    });
  } finally {
    await device.remove();
  }
});

import { LocalWireGuard, UapiWireGuard, WgTool, type WireGuardPort } from '@isthmus/crypto';
import { describeWireGuardPort, type WireGuardSubject } from '../../libs/crypto/testing/wireguard-port.contract.ts';
import { DaemonDevice } from './daemon-device.ts';

/** A device that a daemon serves, and a way to it. */
async function subject(portOf: (device: DaemonDevice) => WireGuardPort): Promise<WireGuardSubject> {
  const device = await DaemonDevice.start();
  return { port: portOf(device), device: device.name, remove: () => device.remove() };
}

describeWireGuardPort('wg, of wireguard-go', () => subject(({ run }) => new WgTool(run)));
describeWireGuardPort("wireguard-go's socket", () => subject(() => new UapiWireGuard()));
describeWireGuardPort('whichever there is', () => subject(({ run }) => new LocalWireGuard(new UapiWireGuard(), new WgTool(run))));

it('what a daemon left that was killed is no device, by its socket and by both', async () => {
  const device = await DaemonDevice.start();
  try {
    await device.kill();
    expect(await new UapiWireGuard().show(device.name)).toBeUndefined();
    const failure = new UapiWireGuard().removePeers(device.name, []);
    await expect(failure).rejects.toMatchObject({
      code: 'WIREGUARD_DEVICE',
      object: device.name,
      message: expect.stringContaining('nobody serves it'),
    });
    const both = new LocalWireGuard(new UapiWireGuard(), new WgTool(device.run));
    expect(await both.show(device.name)).toBeUndefined();
    expect(new UapiWireGuard().has(device.name)).toBe(false);
  } finally {
    await device.remove();
  }
});

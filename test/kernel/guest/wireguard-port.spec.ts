import { createNetns } from '../../../bpf/tests/netns.ts';
import { WgTool } from '../../../libs/crypto/src/adapters/wg-tool.ts';
import { describeWireGuardPort } from '../../../libs/crypto/testing/wireguard-port.contract.ts';
import { runInside } from './run-inside.ts';

const DEVICE = 'wg0';

describeWireGuardPort("wg, of the kernel's", async () => {
  const netns = createNetns('port');
  netns.ip(`link add ${DEVICE} type wireguard`);
  const port = new WgTool((program, words) => runInside(netns.path, program, words));
  return { port, device: DEVICE, remove: async () => netns.remove() };
});

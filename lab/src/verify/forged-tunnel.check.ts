import type { EndpointRow } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { nodeCommand } from '../toolchain.ts';
import type { NodePlace, PodPlace } from '../topology/plan.ts';
import { tableRows } from './agent-view.ts';
import { type Check, expectThat } from './check.ts';
import { nodeOf, podPairs } from './pairs.ts';
import { vxlanAndGeneve } from './tunnel-packet.ts';

const PORT = 9_009;
const TIMEOUT_MS = 10_000;
const HONEST = 'honest';

/** Prints what arrives, after a line that says that it listens. */
const RECEIVER = `const socket = require('dgram').createSocket('udp4');
socket.on('message', (data) => console.log(data.toString())).bind(${PORT}, () => console.log('listening'));
process.stdin.on('end', () => process.exit(0)).resume();`;

/** Sends what it is told: address, port and bytes in base64, three by three. */
const SENDER = `const dgram = require('dgram');
const words = process.argv.slice(1);
for (let at = 0; at < words.length; at += 3) {
  const socket = dgram.createSocket(words[at].includes(':') ? 'udp6' : 'udp4').on('error', () => undefined);
  socket.send(Buffer.from(words[at + 2], 'base64'), Number(words[at + 1]), words[at], () => socket.close());
}`;

/** A pod cannot send a node what looks like the tunnel's own packets: another pod would get them with an identity that the sender chose. */
export const forgedTunnelCheck: Check = {
  name: 'pod-cannot-forge-an-identity',
  disruptive: false,
  applies: (lab) => podPairs(lab, 'across-clusters').length > 0,
  async run(lab) {
    const [pair] = podPairs(lab, 'across-clusters');
    expectThat(pair !== undefined, 'no pods in two clusters');
    const { from, to } = pair;
    const target = nodeOf(lab, to);
    const receiver = lab.startCommand(to, nodeCommand(['-e', RECEIVER]));
    try {
      await waitUntil(() => receiver.lines().length > 0, { what: `${to.id} to listen`, timeoutMs: TIMEOUT_MS });
      await send(lab, from, await forged(lab, target, to));
      await waitUntil(
        async () => {
          await send(lab, from, [lab.podAddresses(to).ipv4, String(PORT), Buffer.from(HONEST).toString('base64')]);
          return receiver.lines().includes(HONEST);
        },
        { what: `${to.id} to get an honest packet`, timeoutMs: TIMEOUT_MS },
      );
    } finally {
      receiver.kill();
    }
    const got = receiver.lines().filter((line) => line.startsWith('forged'));
    expectThat(got.length === 0, `${to.id} got from ${from.id}: ${got.join(', ')}`);
    return `${from.id} to the tunnel of ${target.id}: dropped over IPv4 and IPv6, an honest packet arrives`;
  },
};

async function send(lab: Lab, from: PodPlace, words: readonly string[]): Promise<void> {
  const { status, stderr } = await lab.exec(from, nodeCommand(['-e', SENDER, ...words]));
  expectThat(status === 0, `${from.id} cannot send: ${stderr.trim()}`);
}

/** For both families of the node: a datagram to `to`, with an identity that is not the sender's. */
async function forged(lab: Lab, node: NodePlace, to: PodPlace): Promise<string[]> {
  const identity = (await tableRows<EndpointRow>(node, 'endpoints')).find(({ row }) => row.pod === to.name)?.row.identity;
  expectThat(identity !== undefined, `${to.id} has no endpoint`);
  const { ipv4 } = lab.podAddresses(to);
  const outer = [node.addresses.ipv4, node.addresses.ipv6];
  return outer.flatMap((address) =>
    vxlanAndGeneve({ identity, source: '10.255.255.1', destination: ipv4, port: PORT, text: `forged over ${address}` }).flatMap(
      ({ port, bytes }) => [address, String(port), bytes.toString('base64')],
    ),
  );
}

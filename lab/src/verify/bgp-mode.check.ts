import { readFileSync } from 'node:fs';
import type { PeerRow } from '@isthmus/model';
import { isthmus } from '../control-plane/isthmus-command.ts';
import type { Lab } from '../lab.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { repositoryFile } from '../toolchain.ts';
import { tableRows } from './agent-view.ts';
import { BGP_TIMEOUT_MS, untilSessionsUp } from './bgp-view.ts';
import type { Check } from './check.ts';
import { expectNoLoss, flowSet } from './flow-set.ts';
import { allNodes } from './pairs.ts';
import { hasRacks } from './rack.checks.ts';

const PEERING = 'lab/manifests/bgp-rack/peering.yaml';
const TAKE_ALL = 'routeImport: { mode: All }';
const TAKE_NOTHING = 'routeImport: { mode: None }';
const ROUNDS = 2;

/** Nodes that learn nothing any more send through the tunnel, and natively again as soon as they learn: on the way there and back no packet is lost. */
export const modeCheck: Check = {
  name: 'bgp-no-loss-while-routes-come-and-go',
  disruptive: true,
  applies: (lab) => hasRacks(lab) && allNodes(lab).every(({ config }) => config['routing-mode'] === 'auto'),
  async run(lab) {
    await untilSessionsUp(lab);
    const peering = readFileSync(repositoryFile(PEERING), 'utf8');
    const text = await expectNoLoss(lab, await flowSet(lab), async () => {
      try {
        for (let round = 0; round < ROUNDS; round++) {
          await applyEverywhere(lab, peering.replaceAll(TAKE_ALL, TAKE_NOTHING));
          await untilAll(lab, 'tunnel');
          await applyEverywhere(lab, peering);
          await untilAll(lab, 'native');
        }
      } finally {
        await applyEverywhere(lab, peering);
      }
    });
    return `${text}; every node reached every other one through the tunnel and natively, ${ROUNDS} times each`;
  },
};

async function applyEverywhere(lab: Lab, input: string): Promise<void> {
  for (const { name, control } of lab.plan.clusters) await isthmus(lab.plan, control, ['apply', '--context', name, '-f', '-'], { input });
}

/** Waits until each node sends to each other one in this way. */
async function untilAll(lab: Lab, mode: PeerRow['mode']): Promise<void> {
  let others: string[] = [];
  const settled = async (): Promise<boolean> => {
    const rows = await Promise.all(allNodes(lab).map(async (node) => ({ node, peers: await tableRows<PeerRow>(node, 'peers') })));
    others = rows.flatMap(({ node, peers }) =>
      peers.filter(({ row }) => row.mode !== mode).map(({ key, row }) => `${node.id} to ${key}: ${row.mode}`),
    );
    return others.length === 0;
  };
  await waitUntil(settled, { what: `${mode} everywhere`, timeoutMs: BGP_TIMEOUT_MS, onTimeout: () => others.join('; ') });
}

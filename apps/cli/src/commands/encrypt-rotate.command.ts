import { type CodedError, isCoded } from '@isthmus/core';
import { type Epoch, isEpoch } from '@isthmus/crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AgentApi } from '../agent/agent-api.ts';
import { CLI_AGENT_DOWN } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { type Encryption, encryptionOf } from '../encryption/encryption-answers.ts';
import { type RaisedTarget, raiseTarget } from '../encryption/raise-target.ts';
import { withTargets } from '../encryption/with-targets.ts';
import { addExample, addOutput, addSocket, addWait, type OutputOptions, type SocketOptions, type WaitOptions } from '../options/common.ts';
import { type Look, waitUntil } from '../options/wait.ts';
import { printJson } from '../output/print-json.ts';
import { addStoreOptions, type StoreOptions } from '../resource/resource-options.ts';

interface RotateOptions extends StoreOptions, OutputOptions, SocketOptions, WaitOptions {
  reason: string;
  force?: boolean;
  to?: Epoch;
}

const LONGEST_REASON = 200;

/** `encrypt rotate`: other keys for the whole mesh. */
export function addEncryptRotate(group: Command, cli: Cli): void {
  const command = group
    .command('rotate')
    .description(
      'Have every node of the mesh change to new keys, under traffic. Refused while a node has not come along with the last change, or knows of no epochs',
    )
    .option(
      '--force',
      'go on although nodes are behind or have no keys. Where their keys are in the way, nothing is sent to them wireguard-max-overlap later, until they come along. Nodes that know of no epochs (Cilium) are cut off when even keys change, until they have read the new ones',
    )
    .addOption(
      new Option(
        '--to <epoch>',
        'not to the next epoch, but to a later one, at most 65,536 ahead: to meet a cluster that is further and was not joined by connect',
      ).argParser(parseEpoch),
    )
    .addOption(new Option('--reason <text>', 'why, for "encrypt history"').argParser(parseReason).default(''));
  addOutput(addSocket(addStoreOptions(addWait(command, 'all nodes have the new keys, as the agent of this node sees it'))));
  addExample(command, 'isthmus encrypt rotate --context west --reason "a node was stolen" --wait --wait-duration 5m');
  command.action((options: RotateOptions) => rotate(cli, options));
}

async function rotate(cli: Cli, options: RotateOptions): Promise<void> {
  const { reason, force = false, to, output, wait } = options;
  const agent = cli.connect.agent(options.socket);
  // Whoever is to wait must be able to look. Better known before anything is changed.
  if (wait) await encryptionOf(agent);
  const { clock } = cli;
  const raised = await withTargets(cli, options, (targets, user) =>
    raiseTarget({ agent, targets, user, reason, force, ...(to !== undefined && { to }), clock }),
  );
  if (output === 'json') printJson(cli.terminal, raised.row);
  else cli.terminal.out(raisedText(raised, wait ?? false));
  if (raised.left) cli.terminal.err(leftText(raised.left));
  if (raised.blocked) cli.terminal.err(blockedText(raised));
  if (wait) await waitForNodes(cli, agent, raised.row.target, options);
}

function raisedText({ row }: RaisedTarget, waits: boolean): string {
  return `the mesh changes to keys of epoch ${row.target}\n${waits ? '' : 'To see how far it is: isthmus encrypt status\n'}`;
}

function blockedText({ row, blocked }: RaisedTarget): string {
  const cost =
    row.target % 2 === 0
      ? 'nothing is sent to them, and nothing comes from them, until they have read the new even keys'
      : 'nothing now, for even keys stay; the change after this one cuts them off until they have read the new even keys';
  return `warning: ${printable(blocked?.message ?? '')}\n  what it costs: ${cost}\n`;
}

function leftText({ message }: CodedError): string {
  return `warning: ${printable(message)}
  what becomes of them: where their keys are in the way, nothing is sent to them wireguard-max-overlap from now, until they come along
`;
}

/** Names of nodes come from other clusters. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

async function waitForNodes(cli: Cli, agent: AgentApi, target: Epoch, { output, waitDuration }: RotateOptions): Promise<void> {
  let told = '';
  const look = async (): Promise<Look<Encryption>> => {
    const seen = await encryptionOf(agent);
    const { nodes, laggards, ...mesh } = seen.mesh;
    const count = mesh.target < target ? 0 : mesh.atTarget;
    const progress = `${count} of ${nodes} nodes at epoch ${Math.max(target, mesh.target)}\n`;
    if (progress !== told && output === 'table') cli.terminal.out(progress);
    told = progress;
    return { seen, missing: count === nodes ? '' : laggards.join(', ') || 'some nodes' };
  };
  await waitUntil(cli, waitDuration, look, (error) => isCoded(error, CLI_AGENT_DOWN));
}

function parseEpoch(text: string): Epoch {
  const epoch = Number(text);
  if (!isEpoch(epoch)) throw new InvalidArgumentError('Write an epoch: a number from 1 to 4294967295.');
  return epoch;
}

function parseReason(text: string): string {
  if (text.length > LONGEST_REASON || /\p{Cc}/u.test(text))
    throw new InvalidArgumentError(`Write one line of at most ${LONGEST_REASON} characters.`);
  return text;
}

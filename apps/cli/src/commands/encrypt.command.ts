import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { encryptionOf } from '../encryption/encryption-answers.ts';
import { encryptionText, isAllEncrypted } from '../encryption/encryption-text.ts';
import { historyText, keysHere, keysText } from '../encryption/history-text.ts';
import { withTargets } from '../encryption/with-targets.ts';
import { EXIT } from '../exit-status.ts';
import { addExample, addOutput, addSocket, type OutputOptions, type SocketOptions } from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import { addStoreOptions, type StoreOptions } from '../resource/resource-options.ts';
import { addEncryptRotate } from './encrypt-rotate.command.ts';

/** `encrypt status|rotate|history`: encryption between nodes. */
export function addEncrypt(program: Command, cli: Cli): void {
  const group = program
    .command('encrypt')
    .description('Encryption between nodes: how this node does, other keys for the mesh, who asked for them');
  addStatus(group, cli);
  addEncryptRotate(group, cli);
  addHistory(group, cli);
}

function addStatus(group: Command, cli: Cli): void {
  const command = group
    .command('status')
    .description(
      'Show how this node encrypts, and where the mesh is with its keys. Ends with status 3 while a node cannot be sent to encrypted',
    );
  addSocket(addOutput(command));
  addExample(command, 'isthmus encrypt status');
  command.action(async ({ socket, output }: OutputOptions & SocketOptions) => {
    const seen = await encryptionOf(cli.connect.agent(socket));
    if (output === 'json') printJson(cli.terminal, seen);
    else cli.terminal.out(encryptionText(seen, cli.clock.wall(), cli.terminal.colour));
    if (!isAllEncrypted(seen)) cli.exitStatus = EXIT.notReady;
  });
}

function addHistory(group: Command, cli: Cli): void {
  const command = group
    .command('history')
    .description(
      'Show who of a cluster asked for other keys, when and why; and on a node that has an agent, which keys it has had. The newest first, 100 at most',
    );
  addOutput(addSocket(addStoreOptions(command)));
  addExample(command, 'isthmus encrypt history --context west');
  command.action(async (options: StoreOptions & SocketOptions & OutputOptions) => {
    const changes = await withTargets(cli, options, (targets) => targets.history());
    const node = await keysHere(cli.connect.agent(options.socket));
    if (options.output === 'json') return printJson(cli.terminal, { changes, ...node });
    if (changes.length === 0) cli.terminal.err('nobody has asked for other keys\n');
    else cli.terminal.out(historyText(changes, cli.terminal.colour));
    if (node !== undefined && node.keys.length > 0) cli.terminal.out(`\n${keysText(node, cli.terminal.colour)}`);
  });
}

import { Argument, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import { completionScript, SHELLS, type Shell } from '../completion/completion-script.ts';
import { completionTree } from '../completion/completion-tree.ts';
import { addExample } from '../options/common.ts';

/** `completion`: teaches a shell the command. */
export function addCompletion(program: Command, cli: Cli): void {
  const command = program
    .command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .description('Print a script that makes a shell complete this command');
  addExample(command, 'source <(isthmus completion bash)');
  command.action((shell: Shell) => cli.terminal.out(completionScript(shell, completionTree(program))));
}

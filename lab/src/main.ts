import { CodedError, messageOf } from '@isthmus/core';
import { Command } from 'commander';
import { addExecAndLogs } from './commands/exec.command.ts';
import { addFault } from './commands/fault.command.ts';
import { addKillAndStart } from './commands/process.command.ts';
import { addStatus } from './commands/status.command.ts';
import { addUpAndDown } from './commands/up.command.ts';
import { addVerify } from './commands/verify.command.ts';

const program = new Command('lab')
  .description('A mesh of clusters on this machine: network namespaces are its nodes.')
  .enablePositionalOptions();
addUpAndDown(program);
addStatus(program);
addExecAndLogs(program);
addKillAndStart(program);
addVerify(program);
addFault(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof CodedError ? `lab: ${error.message}\n${error.action} [${error.code}]` : `lab: ${messageOf(error)}`);
  process.exitCode = 1;
}

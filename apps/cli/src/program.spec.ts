import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import { buildProgram } from './program.ts';
import { FakeCli } from './testing/fake-cli.ts';

/** Every command that does something. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

const terminal = { out: () => undefined, err: () => undefined, readInput: async () => '', colour: false };
const program = buildProgram({ terminal } as unknown as Cli);

it.each(leaves(program).map((leaf) => [pathOf(leaf), leaf] as const))(
  '%s has a description and an example of itself',
  async (path, leaf) => {
    const cli = new FakeCli();
    expect(await cli.run(...path.split(' ').slice(1), '--help')).toBe(0);
    expect(leaf.description()).not.toBe('');
    expect(cli.out).toMatch(new RegExp(`Example:\n  .*${path}`));
  },
);

it('prints its version', async () => {
  const cli = new FakeCli();
  expect(await cli.run('--version')).toBe(0);
  expect(cli.out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it.each([
  [['nonsense']],
  [['get']],
  [['status', '--nonsense']],
  [['get', 'pods', '-o', 'xml']],
  [['clustermesh']],
  [['status', '--wait-duration', 'long']],
])('%j is wrong usage', async (argv) => {
  const cli = new FakeCli();
  expect(await cli.run(...argv)).toBe(2);
  expect(cli.out).toBe('');
  expect(cli.err).toMatch(/^(error: CLI_USAGE: |Usage: )/);
});

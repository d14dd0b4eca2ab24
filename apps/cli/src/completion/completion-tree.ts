import { KINDS } from '@isthmus/model';
import type { Command } from 'commander';

/** A word that may come next, and what it means. */
export interface CompletionWord {
  readonly text: string;
  readonly meaning: string;
}

/** What may follow a command. */
export interface CompletionNode {
  /** Words that lead here, such as `clustermesh token`; empty for the start. */
  readonly path: string;
  /** Subcommands and fixed arguments. */
  readonly words: readonly CompletionWord[];
  /** Long options. */
  readonly options: readonly CompletionWord[];
}

/** Everything that a shell needs to complete the command: a node for each command and subcommand. */
export function completionTree(program: Command): CompletionNode[] {
  const nodes: CompletionNode[] = [];
  const visit = (command: Command, path: readonly string[]): void => {
    const children = command.commands.map((child) => ({ text: child.name(), meaning: child.description() }));
    nodes.push({ path: path.join(' '), words: [...children, ...argumentWords(command)], options: optionWords(command) });
    for (const child of command.commands) visit(child, [...path, child.name()]);
  };
  visit(program, []);
  return nodes;
}

function argumentWords(command: Command): CompletionWord[] {
  const [first] = command.registeredArguments;
  if (first?.argChoices) return first.argChoices.map((text) => ({ text, meaning: '' }));
  return first?.name() === 'kind' ? KINDS.map(({ plural, kind }) => ({ text: plural, meaning: `objects of kind ${kind}` })) : [];
}

function optionWords(command: Command): CompletionWord[] {
  const own = command.options.flatMap(({ long, description }) => (long ? [{ text: long, meaning: description }] : []));
  return [...own, { text: '--help', meaning: 'show help' }];
}

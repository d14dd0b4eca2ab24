import { defineError } from '@isthmus/core';

/** The command line is not one that there is. */
export const CLI_USAGE = defineError('CLI_USAGE', 'The command line cannot be understood.', 'See "isthmus --help".');

/** A file named on the command line, or by a context, cannot be used. */
export const CLI_FILE = defineError('CLI_FILE', 'A file cannot be read or written.', 'Check the path and the rights.');

/** Something was not ready in time. */
export const CLI_NOT_READY = defineError(
  'CLI_NOT_READY',
  'What was asked for is not ready.',
  'Look at the status that was printed; run the command again, with a longer --wait-duration if it only needs time.',
);

/** The person stopped the command. */
export const CLI_INTERRUPTED = defineError('CLI_INTERRUPTED', 'The command was interrupted.', 'Run it again when you like.');

/** No agent answers on its socket. */
export const CLI_AGENT_DOWN = defineError(
  'CLI_AGENT_DOWN',
  'No agent answers on its unix socket.',
  'Check that the agent of this node runs; name its socket with --socket or ISTHMUS_SOCK if it is another one.',
);

/** The agent's socket may not be opened. */
export const CLI_AGENT_DENIED = defineError(
  'CLI_AGENT_DENIED',
  "The agent's unix socket may not be opened by this user.",
  'Run the command as root, or as a member of the group of the socket.',
);

/** The agent answered something else than expected. */
export const CLI_AGENT_ANSWER = defineError(
  'CLI_AGENT_ANSWER',
  'The agent gave an answer that cannot be understood.',
  'Check that the command line and the agent are of versions that go together.',
);

/** No context was named and none is current. */
export const CLI_CONTEXT_NONE = defineError(
  'CLI_CONTEXT_NONE',
  'The command needs a cluster, and no context is chosen.',
  'Name one with --context, or choose one with "isthmus context use NAME"; "isthmus context set --help" shows how to make one.',
);

/** There is no context of that name. */
export const CLI_CONTEXT_UNKNOWN = defineError(
  'CLI_CONTEXT_UNKNOWN',
  'No context has this name.',
  'See "isthmus context list" for those there are; make one with "isthmus context set".',
);

/** A context lacks what the command needs. */
export const CLI_CONTEXT_INCOMPLETE = defineError(
  'CLI_CONTEXT_INCOMPLETE',
  'A context lacks a part that the command needs.',
  'Add it with "isthmus context set NAME" and the option that the message names.',
);

/** The file of contexts is not what it should be. */
export const CLI_CONTEXT_FILE = defineError(
  'CLI_CONTEXT_FILE',
  'The file with the contexts cannot be used.',
  'Correct the named field, or remove the file and make the contexts anew with "isthmus context set".',
);

/** The machine lacks something that the agent cannot do without. */
export const CLI_PREFLIGHT = defineError(
  'CLI_PREFLIGHT',
  'This machine or user lacks something that the agent cannot do without.',
  'Do what the table says for each feature that is missing, then run "isthmus preflight" again.',
);

/** A cluster has no keys that could be changed. */
export const CLI_ENCRYPTION_OFF = defineError(
  'CLI_ENCRYPTION_OFF',
  'The cluster does not encrypt.',
  'Set enable-wireguard: true in the configuration of its agents and operators, and see that an operator leads.',
);

/** Keys were changed a moment ago. */
export const CLI_ROTATION_TOO_SOON = defineError(
  'CLI_ROTATION_TOO_SOON',
  'The keys of the mesh were changed a moment ago, and the old ones may still be in use.',
  'Run the command again in some seconds, if other keys are still wanted.',
);

/** Only one side of a connection was ended. */
export const CLI_ONE_SIDE_LEFT = defineError(
  'CLI_ONE_SIDE_LEFT',
  'A connection of two clusters was ended on one side only.',
  'Disconnect the other side as well, from a place that reaches it.',
);

/** A program of the system failed. */
export const CLI_COMMAND = defineError(
  'CLI_COMMAND',
  'A program of the system that was run for what it shows has failed.',
  'Run the same by hand to see more; a sysdump goes on without it.',
);

/** A row, map or table that was named is not there. */
export const CLI_NOT_FOUND = defineError('CLI_NOT_FOUND', 'What was named does not exist.', 'List what there is with the "list" command.');

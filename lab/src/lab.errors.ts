import { defineError } from '@isthmus/core';

/** The command needs root. */
export const LAB_NOT_ROOT = defineError(
  'LAB_NOT_ROOT',
  'The lab makes network namespaces and loads BPF programs, which takes root.',
  'Run the command as root.',
);
/** A topology file is missing or wrong. */
export const LAB_TOPOLOGY = defineError(
  'LAB_TOPOLOGY',
  'A topology file does not exist or says what cannot be.',
  'Correct the file; lab/topologies/two-clusters.yaml is an example.',
);
/** A name that a lab, cluster, node or pod cannot have. */
export const LAB_NAME = defineError(
  'LAB_NAME',
  'A lab has a name that it cannot have.',
  'Use lower-case letters and digits, at most 12, a letter first.',
);
/** There is no lab of this name. */
export const LAB_NOT_UP = defineError(
  'LAB_NOT_UP',
  'There is no lab of this name.',
  "Run 'make lab' first, or give the lab's name with --name.",
);
/** Another command is changing the same lab. */
export const LAB_BUSY = defineError(
  'LAB_BUSY',
  'Another command is changing the same lab.',
  'Wait until it has ended, or choose another name with --name.',
);
/** The lab has no such place or process. */
export const LAB_NO_SUCH = defineError(
  'LAB_NO_SUCH',
  'The lab has no place or process of this name.',
  "See 'npm run lab -- status' for the names.",
);
/** A command of the machine failed. */
export const LAB_COMMAND = defineError(
  'LAB_COMMAND',
  'A command that the lab ran has failed.',
  "Read the command's own message; 'make lab-down' removes what is half done.",
);
/** The machine lacks something. */
export const LAB_MACHINE = defineError(
  'LAB_MACHINE',
  'The machine lacks something that the lab needs.',
  'Use a Linux kernel of version 5.15 or newer with cgroup2 and BPF.',
);
/** A condition did not come true in time. */
export const LAB_TIMEOUT = defineError(
  'LAB_TIMEOUT',
  'Something in the lab did not become ready in time.',
  "Read its log with 'npm run lab -- logs <process>'.",
);
/** Tear-down left something behind. */
export const LAB_LEFTOVERS = defineError(
  'LAB_LEFTOVERS',
  'Taking the lab down left something behind.',
  'Run it again; what it still names then has to be removed by hand.',
);

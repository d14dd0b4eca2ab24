import type { Lab } from '../lab.ts';
import { type Check, expectThat } from './check.ts';

/** Everything that the lab started still runs. */
export const processesCheck: Check = {
  name: 'processes',
  disruptive: false,
  async run(lab: Lab): Promise<string> {
    const processes = lab.processes.list();
    const ended = processes.filter((process) => !process.alive);
    expectThat(ended.length === 0, `ended: ${ended.map((process) => process.id).join(', ')}`);
    return `${processes.length} running`;
  },
};

import { writeSync } from 'node:fs';
import { PairSecretFolder, Rotation, RotationRunner } from '@isthmus/crypto';

// Loaded into an agent before its own code (crash-environment.ts). It ends right after the first action of one of some kinds, as by SIGKILL, with whatever was to
// follow in the same look undone: between two actions nobody else could hit.

const STDERR = 2;
const kinds = (process.env['ISTHMUS_LAB_CRASH_AFTER'] ?? '').split(',');
const { step: decide } = Rotation.prototype;
const { step: act } = RotationRunner.prototype;
const { savePair } = PairSecretFolder.prototype;
let last: string | undefined;

function die(step: string): void {
  writeSync(STDERR, `crash after ${step}\n`);
  process.kill(process.pid, 'SIGKILL');
}

Rotation.prototype.step = function (view, now) {
  const actions = decide.call(this, view, now);
  const at = actions.findIndex((action) => kinds.includes(action.do));
  last = actions[at]?.do;
  return last === undefined ? actions : actions.slice(0, at + 1);
};

RotationRunner.prototype.step = async function () {
  const actions = await act.call(this);
  if (last !== undefined) die(last);
  return actions;
};

// Agreements take their time beside the looks: one is at its end when its key is saved.
PairSecretFolder.prototype.savePair = async function (...pair) {
  if (kinds.includes('agreeing')) die('agreeing');
  await savePair.apply(this, pair);
  if (kinds.includes('agreed')) die('agreed');
};

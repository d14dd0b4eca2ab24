/** A generation of keys, of the whole mesh: 1 to 2³² − 1, growing. 0 stands for none. */
export type Epoch = number;

/** A node's two WireGuard devices. An epoch's keys are on the one of its parity. */
export type WireGuardDevice = 'even' | 'odd';

const MAX_EPOCH = 0xffff_ffff;
/** How far from the own target that of a cluster may be which is connected for the first time. */
const FIRST_STEP = 65_536;

/** Whether a number can be an epoch's. */
export function isEpoch(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= MAX_EPOCH;
}

/** The device that an epoch's keys are on. */
export function deviceOf(epoch: Epoch): WireGuardDevice {
  return epoch % 2 === 0 ? 'even' : 'odd';
}

/** Whether a cluster's target may be taken when it is connected for the first time, where both sides confirm it. */
export function mayJoinAt(own: Epoch, published: Epoch): boolean {
  return isEpoch(published) && published <= own + FIRST_STEP;
}

/**
 * The target of a mesh in which clusters meet: the greatest of theirs, or the next one if some node has another epoch live on its device. Keys of
 * two epochs cannot be on one device, so that one has to be free, or of that very epoch, everywhere.
 * @param live epochs that any node has keys of
 */
export function meetingTarget(targets: readonly Epoch[], live: Iterable<Epoch>): Epoch {
  const greatest = Math.max(...targets);
  for (const epoch of live) if (epoch !== greatest && deviceOf(epoch) === deviceOf(greatest)) return greatest + 1;
  return greatest;
}

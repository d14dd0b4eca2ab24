import { type Clock, type CodedError, LOG, type Log } from '@isthmus/core';
import { type Epoch, leftBehind, newTarget, presentTarget, rotationBlocked, rotationStays, rotationWaits } from '@isthmus/crypto';
import type { WireGuardTargets } from '@isthmus/mesh';
import type { WireGuardTargetRow } from '@isthmus/model';
import { ownInterval, type ScheduleStep, type ScheduleTimes, scheduleStep } from './rotation-schedule.ts';

/** What a {@link RotationDuty} works with. */
export interface RotationDutyOptions {
  targets: WireGuardTargets;
  cluster: string;
  clusterId: number;
  /** Between two changes of all keys; 0: none by itself. Milliseconds. */
  rotationMs: number;
  /** For how long nodes that do not come along hold up a change. Milliseconds. */
  maxOverlapMs: number;
  /** Between two changes that other clusters ask for, on average. Milliseconds. */
  followMs: number;
  /** Names of the cluster's nodes; all of them must be known. */
  nodes(): readonly string[];
  clock: Clock;
  log: Log;
}

/** Passes are this many to an interval, so that it is kept that exactly. */
const PASSES = 10;
const SHORTEST_PASS_MS = 1_000;
const LONGEST_PASS_MS = 30_000;

/** Raises the cluster's target when it is time. Each pass looks anew: what another one has raised meanwhile is not raised again. */
export class RotationDuty {
  readonly #options: RotationDutyOptions;
  readonly #times: ScheduleTimes;
  /** The target that was seen last, and since when; monotonic, ms. */
  #seen: Epoch = 0;
  #since = 0;
  /** Why, and at which target, keys were last said to stay. */
  #held = '';

  constructor(options: RotationDutyOptions) {
    this.#options = options;
    const { cluster, rotationMs, maxOverlapMs, followMs } = options;
    this.#times = { intervalMs: ownInterval(cluster, rotationMs), maxOverlapMs, followMs };
  }

  /** How long to wait between passes, milliseconds. */
  get passMs(): number {
    const { intervalMs } = this.#times;
    if (intervalMs === 0) return LONGEST_PASS_MS;
    return Math.min(LONGEST_PASS_MS, Math.max(SHORTEST_PASS_MS, intervalMs / PASSES));
  }

  /** Looks, and does what is due. */
  async pass(): Promise<void> {
    const { targets, nodes, clock } = this.#options;
    const [own, keys, history] = await Promise.all([targets.read(), targets.nodes(), targets.history()]);
    const known = new Set(nodes());
    // Of nodes that are gone, records may be left.
    const live = [...keys].filter(([node]) => known.has(node));
    const epochs = new Map(live.map(([node, { epoch }]) => [node, epoch]));
    const blockedBy = [...new Set(live.flatMap(([, each]) => each.blockedBy))].sort();
    const wanted = live.flatMap(([, each]) => each.wanted ?? []);
    const lastedMs = this.#lasted(own, presentTarget(own, epochs));
    const view = { own, nodes: [...known], epochs, blockedBy, wanted, history, now: clock.wall(), lastedMs };
    await this.#do(own, scheduleStep(view, this.#times));
  }

  async #do(own: WireGuardTargetRow | undefined, step: ScheduleStep): Promise<void> {
    const { targets, cluster, clusterId, clock, log } = this.#options;
    const why = whyNot(step);
    const held = why === undefined ? this.#held : `${why.code} ${why.object}`;
    if (why !== undefined && this.#held !== held) log.warn({ [LOG.error]: why }, 'the keys of the mesh stay for now');
    this.#held = held;
    if (step.do !== 'raise') return;
    const { target, by, reason, left } = step;
    const raised = await targets.raise(own, newTarget({ cluster, clusterId }, { target, by, reason }, clock.wall()));
    if (!raised) return;
    log.info({ [LOG.reason]: `${by}: ${reason}` }, `the mesh is to get keys of epoch ${target}`);
    if (left.length > 0) log.warn({ [LOG.error]: leftBehind(target - 1, left) }, 'the keys of the mesh change without some nodes');
  }

  /**
   * How long the present target has been that. Of the own one it is written when it was raised; of what others have raised it is known since it was
   * seen. A clock that jumps back makes nobody wait longer.
   */
  #lasted(own: WireGuardTargetRow | undefined, present: Epoch): number {
    const { clock } = this.#options;
    if (this.#seen !== present) [this.#seen, this.#since] = [present, clock.now()];
    const seenMs = clock.now() - this.#since;
    if (own?.target !== present) return seenMs;
    const writtenMs = clock.wall() - Date.parse(own.startedAt);
    return Number.isNaN(writtenMs) ? seenMs : Math.max(seenMs, writtenMs);
  }
}

/** Why the target stays; undefined when it does not, or it is just not time. */
function whyNot(step: ScheduleStep): CodedError | undefined {
  if (step.do === 'hold') return rotationWaits(step.target, step.behind);
  if (step.do === 'leave') return rotationBlocked(step.target, step.blockedBy);
  return step.do === 'stay' ? rotationStays(step.target, step.wanted) : undefined;
}

import { isDeepStrictEqual } from 'node:util';
import { CodedError } from '@isthmus/core';
import { bringUp, type Stage } from './bring-up.ts';
import { LAB_NO_SUCH, LAB_NOT_ROOT } from './lab.errors.ts';
import { withLabLock } from './lab-lock.ts';
import { type LabState, readLabState, requireLabState, writeLabState } from './lab-state.ts';
import { type CommandOptions, type CommandResult, tryCommand } from './machine/run-command.ts';
import { isAttached, podAddresses } from './pod/attach-pod.ts';
import { enterPlace, LAB_VARIABLE } from './process/enter-place.ts';
import { LiveCommand } from './process/live-command.ts';
import { createClock, steppedClockEnvironment } from './process/stepped-clock.ts';
import { Supervisor } from './process/supervisor.ts';
import { takeDown } from './take-down.ts';
import {
  type Addresses,
  allPlaces,
  type ClusterPlan,
  type LabPlan,
  type NodePlace,
  type Place,
  type PodPlace,
  planLab,
} from './topology/plan.ts';
import { loadTopology, type Topology } from './topology/topology.ts';

/** Name of the lab that `make lab` makes. */
export const DEFAULT_LAB = 'lab';

/** Called with one line for each thing that is done. */
export type Progress = (line: string) => void;

/** How to bring a lab up. */
export interface UpOptions {
  readonly name?: string;
  readonly progress?: Progress;
  /** The last stage to do; all of them unless given. */
  readonly through?: Stage;
  /** Give the mesh's own processes a wall clock that the fault `clock` can step. */
  readonly steppableClock?: boolean;
}

/** A mesh that runs on this machine. Commands, end-to-end tests and benchmarks all go through this class. */
export class Lab {
  readonly name: string;
  readonly plan: LabPlan;
  readonly processes: Supervisor;

  private constructor(plan: LabPlan, steppableClock: boolean) {
    this.name = plan.name;
    this.plan = plan;
    this.processes = new Supervisor({
      lab: plan.name,
      logs: plan.paths.logs,
      records: plan.paths.processes,
      ownEnvironment: steppableClock ? steppedClockEnvironment(plan.paths.clock) : {},
    });
  }

  /**
   * Brings a lab up. One that is there, complete, of the same topology and clock and with all its processes alive is left as it is; anything else
   * of that name is taken down first.
   * @param topology a topology, or the name or path of its file
   * @throws CodedError LAB_NOT_ROOT, LAB_BUSY, LAB_TOPOLOGY, LAB_COMMAND, LAB_TIMEOUT
   */
  static async up(topology: Topology | string, options: UpOptions = {}): Promise<Lab> {
    requireRoot();
    const wanted = typeof topology === 'string' ? loadTopology(topology) : topology;
    const { steppableClock = false } = options;
    const lab = new Lab(planLab(options.name ?? DEFAULT_LAB, wanted), steppableClock);
    const progress = options.progress ?? (() => undefined);
    return withLabLock(lab.name, async () => {
      if (lab.#isUp({ topology: wanted, complete: true, steppableClock })) {
        progress(`lab ${lab.name} is up already`);
        return lab;
      }
      await takeDown(lab.name);
      writeLabState(lab.name, { topology: wanted, complete: false, steppableClock });
      if (steppableClock) createClock(lab.plan.paths.clock);
      await bringUp({ plan: lab.plan, processes: lab.processes, progress, through: options.through });
      writeLabState(lab.name, { topology: wanted, complete: options.through === undefined, steppableClock });
      return lab;
    });
  }

  /**
   * The lab that is up under this name.
   * @throws CodedError LAB_NOT_UP
   */
  static open(name: string = DEFAULT_LAB): Lab {
    const { topology, steppableClock = false } = requireLabState(name);
    return new Lab(planLab(name, topology), steppableClock);
  }

  /**
   * Removes everything that carries the name; nothing there is fine.
   * @throws CodedError LAB_NOT_ROOT, LAB_BUSY, LAB_LEFTOVERS
   */
  static async down(name: string = DEFAULT_LAB): Promise<void> {
    requireRoot();
    await withLabLock(name, () => takeDown(name));
  }

  /** @throws CodedError LAB_NO_SUCH */
  cluster(name: string): ClusterPlan {
    return found(this.plan.clusters, (cluster) => cluster.name === name, `cluster ${name}`);
  }

  /** @throws CodedError LAB_NO_SUCH */
  node(cluster: string, name: string): NodePlace {
    return found(this.cluster(cluster).nodes, (node) => node.name === name, `node ${cluster}/${name}`);
  }

  /** @throws CodedError LAB_NO_SUCH */
  pod(cluster: string, name: string): PodPlace {
    const pods = this.cluster(cluster).nodes.flatMap((node) => node.pods);
    return found(pods, (pod) => pod.name === name, `pod ${cluster}/${name}`);
  }

  /** Whether a pod has got addresses yet. */
  isAttached(pod: PodPlace): boolean {
    return isAttached(this.plan, pod);
  }

  /** The addresses that a pod got from the CNI plugin. */
  podAddresses(pod: PodPlace): Addresses {
    return podAddresses(this.plan, pod);
  }

  /**
   * The place of this id: `router`, `east/n1`, `east/a1`; a cluster's name alone is its control plane.
   * @throws CodedError LAB_NO_SUCH
   */
  place(id: string): Place {
    const places = allPlaces(this.plan);
    return found(
      places,
      (place) => place.id === id || place.id === `${id}/control`,
      `place ${id}; there are ${places.map((place) => place.id).join(', ')}`,
    );
  }

  /** Runs a command in a place to its end, whatever its exit status. */
  exec(place: Place | string, argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const where = typeof place === 'string' ? this.place(place) : place;
    return tryCommand(enterPlace(where, argv), { ...options, env: { ...options.env, [LAB_VARIABLE]: this.name } });
  }

  /** Starts a command in a place that runs beside this process, until it is told to end or this process ends. */
  startCommand(place: Place, argv: readonly string[]): LiveCommand {
    return new LiveCommand(enterPlace(place, argv), { [LAB_VARIABLE]: this.name });
  }

  #isUp(wanted: LabState): boolean {
    if (!isDeepStrictEqual(readLabState(this.name), wanted)) return false;
    return this.processes.list().every((process) => process.alive);
  }
}

function found<T>(all: readonly T[], is: (one: T) => boolean, what: string): T {
  const one = all.find(is);
  if (one !== undefined) return one;
  throw new CodedError(LAB_NO_SUCH, `the lab has no ${what}`, { object: what });
}

function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new CodedError(LAB_NOT_ROOT, 'the lab needs root');
}

import { CodedError } from '@isthmus/core';
import { LAB_NO_SUCH } from '../lab.errors.ts';
import { type ClusterPlan, type LabPlan, linksOf, type NodePlace, type Place, stationsOf } from '../topology/plan.ts';
import type { RackPlan } from '../topology/rack-plan.ts';

/** The far end of a cable of a node or control plane: in the router, or at the ToR. */
export interface Cable {
  readonly netns: string;
  readonly device: string;
}

/** The router's end of a bridged cluster's cable. */
export function cableName({ bridge }: ClusterPlan, index: number): string {
  return `${bridge}p${index}`;
}

/**
 * The far ends of the cables of a node or control plane: two for a node in a rack, in the order of its devices, otherwise one.
 * @throws CodedError LAB_NO_SUCH for a place that has none
 */
export function cablesOf(plan: LabPlan, place: Place): Cable[] {
  for (const cluster of plan.clusters) {
    const index = stationsOf(cluster).findIndex((station) => station.id === place.id);
    if (index < 0) continue;
    if (!cluster.rack) return [{ netns: plan.router.netns, device: cableName(cluster, index) }];
    const { netns } = cluster.rack;
    if (place.id === cluster.control.id) return [{ netns, device: cluster.bridge }];
    return linksOf(plan, place as NodePlace).map(({ port }) => ({ netns, device: port }));
  }
  throw new CodedError(LAB_NO_SUCH, `${place.id} has no cable: only nodes and control planes have`, { object: place.id });
}

/**
 * The far end of one of the cables of a place.
 * @param device in the place: `up0`
 * @throws CodedError LAB_NO_SUCH
 */
export function cableOfDevice(plan: LabPlan, place: Place, device: string): Cable {
  const devices = 'devices' in place ? (place as NodePlace).devices : ['eth0'];
  const cable = cablesOf(plan, place)[devices.indexOf(device)];
  if (cable) return cable;
  throw new CodedError(LAB_NO_SUCH, `${place.id} has no device ${device}; it has ${devices.join(', ')}`, { object: device });
}

/** The rack whose ToR a cable is at. */
export function rackAt(plan: LabPlan, cable: Cable): RackPlan | undefined {
  return plan.fabric?.racks.find(({ netns }) => netns === cable.netns);
}

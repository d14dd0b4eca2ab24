import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { LAB_NOT_UP } from './lab.errors.ts';
import { labPaths } from './topology/lab-paths.ts';
import type { Topology } from './topology/topology.ts';

/** What the lab writes down about itself: first before it makes anything, then again when it is complete. */
export interface LabState {
  readonly topology: Topology;
  /** False while the lab is being built, and for ever when building failed. */
  readonly complete: boolean;
  /** The mesh's own processes go by a wall clock of the lab's own, which a fault can step. */
  readonly steppableClock?: boolean;
}

/** Writes a lab's state, whole or not at all. */
export function writeLabState(lab: string, state: LabState): void {
  const path = statePath(lab);
  mkdirSync(labPaths(lab).state, { recursive: true });
  writeFileSync(`${path}.tmp`, JSON.stringify(state));
  renameSync(`${path}.tmp`, path);
}

/** A lab's state; undefined when there is no such lab. */
export function readLabState(lab: string): LabState | undefined {
  const path = statePath(lab);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LabState) : undefined;
}

/**
 * The state of a lab that must be there.
 * @throws CodedError LAB_NOT_UP
 */
export function requireLabState(lab: string): LabState {
  const state = readLabState(lab);
  if (state) return state;
  throw new CodedError(LAB_NOT_UP, `there is no lab called ${lab}`, { object: lab });
}

function statePath(lab: string): string {
  return join(labPaths(lab).state, 'lab.json');
}

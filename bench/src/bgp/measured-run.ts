import { CodedError } from '@isthmus/core';
import { BENCH_BGP } from '../bench.errors.ts';
import { Load, type StreamPhase, type Workload } from './load.ts';
import { processUsage } from './process-usage.ts';
import { type SpeakerName, startSpeaker } from './speakers.ts';

/** What one run of a speaker came to: its process began with it. Seconds, and MB of 10^6 bytes. */
export interface MeasuredRun {
  readonly cpu: number;
  readonly wall: number;
  readonly withdrawCpu: number;
  readonly withdrawWall: number;
  /** Resident memory at most: until all was announced, and until the end. */
  readonly loadedPeak: number;
  readonly peak: number;
  /** Resident memory after all was withdrawn. */
  readonly emptied: number;
  readonly sentUpdates: number;
  readonly updates: number;
  /** Milliseconds of each step. */
  readonly flaps: readonly number[];
  /** Of ours only. */
  readonly longestTurnMs: number | undefined;
}

/** Starts a speaker, has all of a workload go through it, one route flap, and all go. @throws CodedError BENCH_BGP */
export async function measuredRun(name: SpeakerName, workload: Workload, flaps: number): Promise<MeasuredRun> {
  const speaker = startSpeaker(name);
  const stopping: (() => Promise<unknown>)[] = [() => speaker.stop()];
  try {
    const load = await Load.start(workload);
    stopping.unshift(() => load.stop());
    const announced = await measuredPhase(speaker.pid, () => load.stream('announce'));
    const loadedPeak = processUsage(speaker.pid).memory.peak;
    const flapped = await load.flap(flaps);
    const withdrawn = await measuredPhase(speaker.pid, () => load.stream('withdraw'));
    const { now, peak } = processUsage(speaker.pid).memory;
    checkAnswers(name, announced.phase, withdrawn.phase);
    await load.stop();
    stopping.length = 0;
    const report = await speaker.stop();
    return {
      cpu: announced.cpu,
      wall: announced.phase.seconds,
      withdrawCpu: withdrawn.cpu,
      withdrawWall: withdrawn.phase.seconds,
      loadedPeak,
      peak,
      emptied: now,
      sentUpdates: announced.phase.sentUpdates,
      updates: announced.phase.updates,
      flaps: flapped,
      longestTurnMs: report?.longestTurnMs,
    };
  } finally {
    for (const stop of stopping) await stop();
  }
}

async function measuredPhase(pid: number, run: () => Promise<StreamPhase>): Promise<{ phase: StreamPhase; cpu: number }> {
  const before = processUsage(pid).cpu;
  const phase = await run();
  return { phase, cpu: processUsage(pid).cpu - before };
}

function checkAnswers(name: SpeakerName, ...phases: readonly StreamPhase[]): void {
  for (const { unknown, duplicates } of phases) {
    if (unknown > 0) throw new CodedError(BENCH_BGP, `${name} told of ${unknown} prefixes that nobody announced`, { object: name });
    // What it says twice costs only itself; ours may not.
    if (name === 'ours' && duplicates > 0) throw new CodedError(BENCH_BGP, `ours told ${duplicates} prefixes twice`, { object: name });
  }
}

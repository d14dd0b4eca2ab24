import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError } from '@isthmus/core';
import { LAB_MACHINE } from '../lab.errors.ts';
import { findLibrary, libraryPath } from '../toolchain.ts';

const LIBRARY = 'libfaketimeMT.so.1';
/** How old, in seconds, the offset that a process goes by may be. */
const LOOKED_UP_EVERY_S = 1;

/**
 * Environment in which a process sees a wall clock that {@link setClockOffset} steps, while it runs. Monotonic time, timers and the dates of
 * files are left alone.
 * @throws CodedError LAB_MACHINE
 */
export function steppedClockEnvironment(file: string): Record<string, string> {
  return {
    LD_PRELOAD: libraryPath(LIBRARY),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: String(LOOKED_UP_EVERY_S),
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}

/** Why no clock can be stepped on this machine; undefined where one can. */
export function noSteppableClock(): string | undefined {
  return findLibrary(LIBRARY) === undefined ? `${LIBRARY} is not on this machine: 'make setup' fetches it` : undefined;
}

/** Makes the file that says how far the clock is off: not at all, at first. */
export function createClock(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  write(file, 0);
}

/**
 * Steps the clock of everything that goes by this file; within a second they see it.
 * @throws CodedError LAB_MACHINE when nothing does
 */
export function setClockOffset(file: string, seconds: number): void {
  if (!existsSync(file))
    throw new CodedError(LAB_MACHINE, 'this lab has the clock of the machine', {
      object: file,
      action: 'Bring it up with a steppable clock.',
    });
  write(file, seconds);
}

function write(file: string, seconds: number): void {
  writeFileSync(`${file}.tmp`, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  renameSync(`${file}.tmp`, file);
}

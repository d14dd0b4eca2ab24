import { getSystemErrorName } from 'node:util';

/** `ENOENT` for 2, and so on; `errno 9999` for a number that this system does not know. Accepts the number with either sign. */
export function errnoName(errno: number): string {
  try {
    return getSystemErrorName(-Math.abs(errno));
  } catch {
    return `errno ${Math.abs(errno)}`;
  }
}

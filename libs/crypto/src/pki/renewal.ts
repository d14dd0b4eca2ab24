import type { CertificateFacts } from './certificate-facts.ts';

/** Renewal begins here in a certificate's life, as a share of it. */
const BEGINS = 1 / 2;
/** The share of life over which beginnings are spread, so that certificates made together are not renewed together. */
const SPREAD = 1 / 24;
/** By then a certificate has been replaced, or something is wrong: a third of its life is left to put that right. */
const LATEST = 2 / 3;
/** A certificate is looked at so many times in its life. */
const LOOKS = 20;
const LOOK_MIN_MS = 1_000;
const LOOK_MAX_MS = 5 * 60_000;

/** The dates of a certificate. */
export type Dates = Pick<CertificateFacts, 'notBefore' | 'notAfter'>;

/** `future`: not valid yet; `late`: less than a third of its life is left, so that its renewal has failed; `expired`. */
export type CertificateAge = 'future' | 'good' | 'late' | 'expired';

/** How old a certificate is at a wall time, milliseconds since 1970. */
export function ageOf(dates: Dates, now: number): CertificateAge {
  if (now > dates.notAfter) return 'expired';
  if (now < dates.notBefore) return 'future';
  return now < renewedBy(dates) ? 'good' : 'late';
}

/** Wall time by which a certificate should have been replaced: two thirds of its life. Milliseconds since 1970. */
export function renewedBy(dates: Dates): number {
  return at(dates, LATEST);
}

/**
 * Wall time from which a certificate should be replaced: soon after the middle of its life, at a point that its serial number
 * decides. Every process that looks at it comes to the same answer. Milliseconds since 1970.
 */
export function renewAt(facts: Dates & Pick<CertificateFacts, 'serial'>): number {
  return at(facts, BEGINS + SPREAD * jitterOf(facts.serial));
}

/**
 * True when a certificate should be replaced now: its time has come, or another CA signs now. Not when its CA ends as it does: a new one would
 * end no later.
 * @param signer the CA that would sign; undefined when that is not known
 */
export function renewalDue(
  facts: Pick<CertificateFacts, 'notBefore' | 'notAfter' | 'serial' | 'issuerKeyId'>,
  signer: Pick<CertificateFacts, 'notAfter' | 'keyId'> | undefined,
  now: number,
): boolean {
  if (signer && signer.keyId !== facts.issuerKeyId) return true;
  if (signer && signer.notAfter <= facts.notAfter) return false;
  return now >= renewAt(facts);
}

/**
 * How long a keeper of certificates waits before it looks again, in milliseconds: a twentieth of the shortest life, so that several attempts
 * fit between the beginning of a renewal and its latest moment; at most five minutes, so that a clock that was set is noticed.
 * @param random 0 to 1; spreads the keepers of many machines
 */
export function lookAgainMs(certificates: readonly Dates[], random: number): number {
  const life = Math.min(...certificates.map(({ notBefore, notAfter }) => notAfter - notBefore), LOOKS * LOOK_MAX_MS);
  return Math.max(LOOK_MIN_MS, life / LOOKS) * (1 - random / 4);
}

function at({ notBefore, notAfter }: Dates, share: number): number {
  return notBefore + Math.floor((notAfter - notBefore) * share);
}

/** A number in [0, 1) that a serial number stands for: serials are random. */
function jitterOf(serial: string): number {
  const digits = serial.slice(-8);
  return (Number.parseInt(digits, 16) || 0) / 16 ** digits.length;
}

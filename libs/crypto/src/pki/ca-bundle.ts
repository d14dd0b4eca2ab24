import { CodedError } from '@isthmus/core';
import { certificateFacts } from './certificate-facts.ts';
import { CA_BUNDLE_INVALID, CA_PIN_MISMATCH } from './pki.errors.ts';

/** More CAs than this in one bundle are refused: two are needed during a change of CA, the rest is slack. */
export const MAX_CAS_IN_BUNDLE = 8;

const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The PEM certificates of a text, one string each, in order. Anything between them is dropped. */
export function splitPem(text: string): string[] {
  return (text.match(CERTIFICATE_BLOCK) ?? []).map((block) => `${block}\n`);
}

/** Joins bundles into one, each CA once, first place first. */
export function mergeBundles(...bundles: readonly string[]): string {
  const byPin = new Map<string, string>();
  for (const pem of bundles.flatMap(splitPem)) {
    const pin = caPin(pem);
    if (!byPin.has(pin)) byPin.set(pin, pem);
  }
  return [...byPin.values()].join('');
}

/** SHA-256 of a CA's DER form, 64 lower-case hex digits: what a token carries. */
export function caPin(certPem: string): string {
  return certificateFacts(certPem, 'CA certificate').fingerprintSha256;
}

/** True when the two bundles have a CA in common. */
export function bundlesMeet(a: string, b: string): boolean {
  const pins = new Set(splitPem(a).map(caPin));
  return splitPem(b).some((pem) => pins.has(caPin(pem)));
}

/**
 * Checks that a text is a bundle of CAs and nothing else of weight.
 * @returns the bundle, each CA once
 * @throws CodedError CA_BUNDLE_INVALID, CERTIFICATE_UNREADABLE
 */
export function checkBundle(text: string, object: string): string {
  const blocks = splitPem(text);
  if (blocks.length === 0) throw new CodedError(CA_BUNDLE_INVALID, `the CA bundle of ${object} is empty`, { object });
  if (blocks.length > MAX_CAS_IN_BUNDLE) {
    throw new CodedError(CA_BUNDLE_INVALID, `the CA bundle of ${object} holds ${blocks.length} CAs; ${MAX_CAS_IN_BUNDLE} are allowed`, {
      object,
    });
  }
  for (const pem of blocks) {
    const facts = certificateFacts(pem, `the CA bundle of ${object}`);
    if (!facts.isCa) throw new CodedError(CA_BUNDLE_INVALID, `${facts.cn} in the bundle of ${object} is not a CA`, { object });
  }
  return mergeBundles(text);
}

/**
 * Finds the pinned CA among the certificates that a server showed.
 * @returns that CA as PEM; the caller then verifies the server's certificate against it
 * @throws CodedError CA_PIN_MISMATCH
 */
export function pinnedCa(shownPem: string, pin: string, object: string): string {
  const found = splitPem(shownPem).find((pem) => caPin(pem) === pin);
  if (found) return found;
  throw new CodedError(CA_PIN_MISMATCH, `${object} does not show the CA ${pin.slice(0, 16)}… that the token names`, { object });
}

import type * as x509 from '@peculiar/x509';

/** The library that signs. */
export type X509Library = typeof x509;

/**
 * Loads the library that signs certificates. Only who signs needs it: reading a certificate and asking for one are done without, because loading
 * it takes 4.5 MB and a sixth of a second, which every agent and every command would pay.
 */
export async function x509Library(): Promise<X509Library> {
  // The library's container needs the metadata API before its first import, whoever imports us.
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

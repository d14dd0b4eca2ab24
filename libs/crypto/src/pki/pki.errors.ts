import { defineError } from '@isthmus/core';

/** A PEM text that should hold a certificate does not. */
export const CERTIFICATE_UNREADABLE = defineError(
  'CERTIFICATE_UNREADABLE',
  'A text that should hold a PEM certificate cannot be read.',
  'Check that the file is complete and begins with "-----BEGIN CERTIFICATE-----".',
);

/** The certificate's life is over. */
export const CERTIFICATE_EXPIRED = defineError(
  'CERTIFICATE_EXPIRED',
  'A certificate is past its last day.',
  'Renew the certificate; also check that the clock of this machine is right.',
);

/** The certificate's life has not begun. */
export const CERTIFICATE_NOT_YET_VALID = defineError(
  'CERTIFICATE_NOT_YET_VALID',
  'A certificate is not valid yet.',
  'Check the clocks of this machine and of the one that signed: one of them is wrong.',
);

/** None of the trusted CAs signed the certificate. */
export const CERTIFICATE_WRONG_CA = defineError(
  'CERTIFICATE_WRONG_CA',
  'A certificate was not signed by any of the trusted CAs.',
  'Use the certificate of this cluster, or add the CA that signed it to the trusted bundle.',
);

/** The certificate may not be used for what it is shown for. */
export const CERTIFICATE_USAGE = defineError(
  'CERTIFICATE_USAGE',
  'A certificate is shown for something that it was not signed for.',
  'Use a client certificate to connect and a server certificate to serve.',
);

/** The certificate names somebody else. */
export const CERTIFICATE_NAME = defineError(
  'CERTIFICATE_NAME',
  'A certificate carries another name than the one expected.',
  'Have the certificate signed again for the name in the message.',
);

/** Private key and certificate do not belong together. */
export const CERTIFICATE_KEY_MISMATCH = defineError(
  'CERTIFICATE_KEY_MISMATCH',
  'A certificate and the private key beside it do not belong together.',
  'Restore the pair from the same backup, or have a new certificate signed for the key.',
);

/** The CA's private key is not the key of the CA's certificate. */
export const CA_KEY_MISMATCH = defineError(
  'CA_KEY_MISMATCH',
  'The private key of a CA does not belong to its certificate.',
  'Restore ca.crt and ca.key from the same backup; nothing can be signed until they match.',
);

/** A bundle holds something that is not a CA, or nothing at all. */
export const CA_BUNDLE_INVALID = defineError(
  'CA_BUNDLE_INVALID',
  'A CA bundle is empty, too long, or holds a certificate that is not a CA.',
  'Pass one or more PEM CA certificates, and nothing else.',
);

/** A pin names none of the CAs that a server shows. */
export const CA_PIN_MISMATCH = defineError(
  'CA_PIN_MISMATCH',
  'The server shows a CA that is not the one the token was made with.',
  'Check the address. If it is right, somebody may be in between; make a new token only after finding out.',
);

/** A certificate request that cannot be read or has the wrong kind of key. */
export const REQUEST_INVALID = defineError(
  'REQUEST_INVALID',
  'A certificate request cannot be read, or its key is not on the curve P-256.',
  'Make a new P-256 key and request.',
);

/** The request is not signed by the key that it carries. */
export const REQUEST_UNPROVEN = defineError(
  'REQUEST_UNPROVEN',
  'A certificate request is not signed by the key that it carries, so the sender may not hold that key.',
  'Make a new key and request on the machine that will use the certificate.',
);

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

/** A private key that cannot be used. */
export const KEY_UNREADABLE = defineError(
  'KEY_UNREADABLE',
  'A private key cannot be read, or is not on the curve P-256.',
  'Have a new key and certificate made: "isthmus cluster init", "isthmus node enrol" or "isthmus clustermesh connect", each for its own.',
);

/** The certificate holds, but it has been withdrawn. */
export const CERTIFICATE_REVOKED = defineError(
  'CERTIFICATE_REVOKED',
  'A cluster no longer accepts a certificate that it issued: it revoked it, or ended the connection.',
  'If that was not meant, connect the two clusters anew with "isthmus clustermesh connect"; it brings a new key and certificate.',
);

/** Two thirds of a certificate's life are over, and it has not been replaced. */
export const CERTIFICATE_RENEWAL = defineError(
  'CERTIFICATE_RENEWAL',
  'A certificate has not been renewed although less than a third of its life is left.',
  'Remove what the message says to stand in the way before the certificate expires; it is tried again and again meanwhile.',
);

/** A change of CA was asked for while another one is under way. */
export const CA_CHANGE_UNDER_WAY = defineError(
  'CA_CHANGE_UNDER_WAY',
  'A change of the CA is under way already.',
  'Finish it first: "isthmus cluster ca status" shows what is missing, "isthmus cluster ca retire" ends it.',
);

/** There is no former CA to retire. */
export const CA_CHANGE_NONE = defineError(
  'CA_CHANGE_NONE',
  'No change of the CA is under way: there is no former CA that could be retired.',
  'Begin one with "isthmus cluster ca rotate" if you mean to change the CA.',
);

/** Somebody would be locked out. */
export const CA_CHANGE_WAITS = defineError(
  'CA_CHANGE_WAITS',
  'The former CA cannot be retired yet: somebody would be locked out.',
  'Wait until those that the message names have taken the new CA over, or see to them; --force retires it all the same.',
);

/** The CA may not vouch for another one. */
export const CA_PATH_LENGTH = defineError(
  'CA_PATH_LENGTH',
  'The CA cannot introduce its successor: it may sign no other CA (path length 0).',
  'Set the cluster up with a new CA in another folder ("isthmus cluster init"), enrol its nodes and connect its peers anew.',
);

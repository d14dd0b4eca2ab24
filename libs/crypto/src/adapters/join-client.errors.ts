import { defineError } from '@isthmus/core';

/** Nobody answers at the address of a join API. */
export const JOIN_API_UNREACHABLE = defineError(
  'JOIN_API_UNREACHABLE',
  'The join API of a cluster does not answer.',
  "Check the address and that the cluster's clustermesh-apiserver runs.",
);

/** Somebody answers who cannot prove to be the cluster. */
export const JOIN_API_UNTRUSTED = defineError(
  'JOIN_API_UNTRUSTED',
  "The server at the address of a join API does not show a certificate of the cluster's CA for that address.",
  'Check the address, and that the context or token is of this cluster.',
);

/** The answer is not what the protocol says. */
export const JOIN_API_ANSWER = defineError(
  'JOIN_API_ANSWER',
  'The join API of a cluster gave an answer that cannot be understood.',
  'Check that both sides run versions that go together.',
);

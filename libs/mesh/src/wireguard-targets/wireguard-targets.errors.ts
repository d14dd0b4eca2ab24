import { defineError } from '@isthmus/core';

/** A cluster's target cannot be told. */
export const WIREGUARD_TARGET = defineError(
  'WIREGUARD_TARGET',
  'The epoch that a cluster wants its mesh to be at cannot be read from its etcd.',
  'Delete the named key; the operator writes it again.',
);

import { defineError } from '@isthmus/core';

/** The token was redeemed before. */
export const TOKEN_USED = defineError(
  'TOKEN_USED',
  'A one-time token was used a second time.',
  'Make a new token. If you did not use this one yourself, somebody else did: look at which clusters and nodes joined.',
);

/** The token's time is over. */
export const TOKEN_EXPIRED = defineError(
  'TOKEN_EXPIRED',
  'A one-time token was used after its time.',
  'Make a new token and use it within its time; the default is ten minutes.',
);

/** No such token, or a wrong secret. The two are not told apart, so that ids cannot be probed. */
export const TOKEN_UNKNOWN = defineError(
  'TOKEN_UNKNOWN',
  'A token is not known here, or is damaged.',
  'Check that the whole token was copied and that it was made by the cluster that is called; else make a new one.',
);

/** A token for nodes shown where one for clusters is needed, or the other way round; or for another subject. */
export const TOKEN_KIND = defineError(
  'TOKEN_KIND',
  'A token was made for something else.',
  'Make a token for this purpose: "isthmus clustermesh token create" for a cluster, "isthmus node token create" for a node.',
);

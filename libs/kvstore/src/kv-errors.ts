import { defineError } from '@isthmus/core';

/** No member answers, or the one that does has no leader. */
export const KV_UNREACHABLE = defineError(
  'KV_UNREACHABLE',
  'No endpoint of the key-value store could be reached, or it has no leader.',
  'Check that the server runs, that its address and port are right and that no firewall is in between. It is retried meanwhile.',
);

/** The call took longer than it may. */
export const KV_TIMEOUT = defineError(
  'KV_TIMEOUT',
  'The key-value store did not answer in time.',
  'Check its load and its disk. A write may have happened: read the key before writing it again.',
);

/** TLS or certificate identity refused. */
export const KV_UNAUTHENTICATED = defineError(
  'KV_UNAUTHENTICATED',
  'The key-value store and this client do not accept each other’s certificates, or the store knows no user of that name.',
  'Check that both sides trust the same CA, that no certificate has run out and that the server certificate names the endpoint.',
);

/** The own client certificate's life is over. */
export const KV_CERTIFICATE_EXPIRED = defineError(
  'KV_CERTIFICATE_EXPIRED',
  'The client certificate with which the key-value store was called has expired.',
  'Renew it; the message names its file. Certificates that an apiserver or agent keeps renew themselves unless "isthmus status" says why not.',
);

/** The connection was replaced by one with a newer certificate. */
export const KV_HANDED_OVER = defineError(
  'KV_HANDED_OVER',
  'The connection was replaced by one with a newer certificate while a watch was on it.',
  'Nothing: whoever watched goes on over the new connection at once.',
);

/** The user may not do this. */
export const KV_PERMISSION = defineError(
  'KV_PERMISSION',
  'The user, which is the client certificate’s common name, has no right to this key.',
  'Grant the user’s role this key or prefix, or use a certificate of another user.',
);

/** The wanted history is gone. */
export const KV_COMPACTED = defineError(
  'KV_COMPACTED',
  'The revision that was asked for has been compacted away.',
  'List the keys again and watch from the revision of that listing.',
);

/** The wanted revision has not happened: the store went back in time. */
export const KV_REVISION_AHEAD = defineError(
  'KV_REVISION_AHEAD',
  'The revision that was asked for lies in the future of this store: it was wiped, or restored from an older copy.',
  'List the keys again and watch from the revision of that listing.',
);

/** The store is full. */
export const KV_QUOTA = defineError(
  'KV_QUOTA',
  'The key-value store’s space is used up (--quota-backend-bytes); it takes no writes, reads go on.',
  'Compact and defragment it or raise --quota-backend-bytes, then clear the NOSPACE alarm.',
);

/** A message exceeds a limit. */
export const KV_TOO_LARGE = defineError(
  'KV_TOO_LARGE',
  'A request or an answer exceeds a limit of the key-value store (1.5 MiB a request, 128 operations a transaction by default).',
  'Make the value smaller or split the transaction.',
);

/** There are more keys than are wanted. */
export const KV_TOO_MANY = defineError(
  'KV_TOO_MANY',
  'The key-value store has more keys under a prefix than are followed.',
  'Find out who writes them and remove them; what was read before stays meanwhile.',
);

/** The server sheds load. */
export const KV_OVERLOADED = defineError(
  'KV_OVERLOADED',
  'The key-value store has too many requests to apply.',
  'Slow down and try again; check the server’s disk latency.',
);

/** The lease is gone. */
export const KV_LEASE_LOST = defineError(
  'KV_LEASE_LOST',
  'The lease has run out or is unknown to the key-value store; its keys are gone or will be.',
  'Grant a new lease and write its keys again.',
);

/** Another cluster answers at the same endpoint. */
export const KV_WRONG_CLUSTER = defineError(
  'KV_WRONG_CLUSTER',
  'The endpoint answers for another etcd cluster than before.',
  'If the cluster was rebuilt on purpose nothing needs doing: everything is listed again. Otherwise correct the endpoints.',
);

/** The request itself is wrong. */
export const KV_REQUEST = defineError(
  'KV_REQUEST',
  'The key-value store refused the request as invalid.',
  'This is a defect of the caller or a set-up step that is missing; the message says which.',
);

/** The store was closed here. */
export const KV_CLOSED = defineError(
  'KV_CLOSED',
  'The connection was closed on this side.',
  'Nothing: the process or this client is stopping.',
);

/** An etcd client configuration file is wrong. */
export const KV_CONFIG = defineError(
  'KV_CONFIG',
  'An etcd client configuration cannot be used.',
  'Correct the named field; the format is that of Cilium’s etcd client configuration.',
);

import { identityKey, ipKey } from '@isthmus/mesh';

/** Under it one key per identity, `<id>` → labels. */
export const IDENTITY_PREFIX = identityKey(0).slice(0, -1);
/** Under it one key per address. */
export const IP_PREFIX = ipKey('');
/** The index that makes labels unique: `<labels>` → id. Written and removed together with the identity. */
export const LABELS_PREFIX = 'cilium/state/identities/v1/value/';
/** Ours: identities that were removed less than an hour ago. Allocators must not give these numbers. */
export const RETIRED_PREFIX = 'isthmus/identities/retired/';
/** How long a removed identity rests: packets and connections that carry it are gone by then. */
export const RETIRED_SECONDS = 3600;

/** The kinds of records that clusters tell each other, by the names that tables and metrics use. */
export const RECORD_KINDS = ['nodes', 'identities', 'ips', 'services', 'serviceexports', 'wireguard', 'wireguardtargets'] as const;

/** One of {@link RECORD_KINDS}. */
export type RecordKind = (typeof RECORD_KINDS)[number];

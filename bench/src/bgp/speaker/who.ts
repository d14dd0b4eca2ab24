/** The speaker under test. */
export const SPEAKER = { address: '10.99.0.1', asn: 65_000 } as const;
/** Tells routes. */
export const INJECTOR = { address: '10.99.0.2', asn: 65_001 } as const;
/** Is told them. */
export const RECEIVER = { address: '10.99.0.3', asn: 65_002 } as const;
/** Seconds, of all three: longer than any run, so that no keepalives are sent meanwhile. */
export const HOLD_TIME = 3_600;

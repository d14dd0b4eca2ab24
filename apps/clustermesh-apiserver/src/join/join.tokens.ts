/** Names under which Nest hands out the parts of the join API. */
export const JOIN_SERVICE = Symbol('JoinService');
/** See {@link JOIN_SERVICE}. */
export const NODE_SERVICE = Symbol('NodeService');
/** See {@link JOIN_SERVICE}. */
export const CLUSTER_INFO_SERVICE = Symbol('ClusterInfoService');
/** See {@link JOIN_SERVICE}. */
export const CALLER_IDENTITY = Symbol('CallerIdentity');
/** See {@link JOIN_SERVICE}. */
export const TOKEN_LEDGER = Symbol('TokenLedger');
/** See {@link JOIN_SERVICE}. */
export const CHECK_IN_SERVICE = Symbol('CheckInService');
/** See {@link JOIN_SERVICE}. */
export const CERTIFICATE_SOURCE = Symbol('CertificateSource');
/** See {@link JOIN_SERVICE}. */
export const CA_CHANGER = Symbol('CaChanger');
/** See {@link JOIN_SERVICE}. */
export const REMOTE_STATUS = Symbol('RemoteStatusSource');

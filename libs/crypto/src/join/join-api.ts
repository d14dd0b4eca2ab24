import type {
  Accepted,
  CaStatus,
  Certificates,
  CheckInRequest,
  CheckInResponse,
  ClusterInfo,
  ClusterOffer,
  CompleteRequest,
  Confirmed,
  Done,
  NodeRequest,
  NodeResponse,
  RemoteStatus,
  RenewalResponse,
  RevocationDone,
  TokenRequest,
  TokenResponse,
} from './join-wire.ts';

/** The join API of one cluster, as its callers see it. Every refusal is a CodedError with the server's code. */
export interface JoinApi {
  /** Where it is; for messages. */
  readonly endpoint: string;
  cluster(): Promise<ClusterInfo>;
  /** Status of every connected remote. */
  remotes(): Promise<readonly RemoteStatus[]>;
  /** Call 1. */
  offer(peer: string): Promise<ClusterOffer>;
  /** Call 2. */
  accept(offer: ClusterOffer): Promise<Accepted>;
  /** Call 3. */
  confirm(offer: ClusterOffer, certificate: string): Promise<Confirmed>;
  /** Call 4. */
  complete(first: string, request: CompleteRequest): Promise<Done>;
  disconnect(name: string): Promise<Done>;
  createToken(request: TokenRequest): Promise<TokenResponse>;
  node(request: NodeRequest): Promise<NodeResponse>;
  /** A node or a remote cluster says which CAs it trusts, and hears which it should. */
  checkIn(request: CheckInRequest): Promise<CheckInResponse>;
  /** A remote cluster has its certificate renewed. */
  renew(cluster: string, csr: string): Promise<RenewalResponse>;
  /** Withdraws a remote cluster's access; what is known of it stays. */
  revoke(cluster: string): Promise<RevocationDone>;
  /** Certificates that are no remote cluster's: those are in {@link remotes}. */
  certificates(): Promise<Certificates>;
  ca(): Promise<CaStatus>;
  /** Gives the cluster a new CA, beside the one that it has. */
  rotateCa(): Promise<CaStatus>;
  /** Stops trusting the former CA. */
  retireCa(force: boolean): Promise<CaStatus>;
}

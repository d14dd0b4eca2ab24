import type {
  Accepted,
  ClusterInfo,
  ClusterOffer,
  CompleteRequest,
  Confirmed,
  Done,
  NodeRequest,
  NodeResponse,
  RemoteStatus,
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
}

import { CodedError } from '@isthmus/core';
import {
  type Accepted,
  type CaStatus,
  type Certificates,
  type CheckInResponse,
  type ClusterInfo,
  type ClusterOffer,
  type Confirmed,
  type Done,
  JOIN_API_UNREACHABLE,
  type JoinApi,
  type NodeRequest,
  type NodeResponse,
  type RemoteStatus,
  type RenewalResponse,
  type RevocationDone,
  type TokenRequest,
  type TokenResponse,
} from '@isthmus/crypto';

const PEM = '-----BEGIN CERTIFICATE-----\n';
const NOT_CONNECTED = { code: 'JOIN_NOT_CONNECTED', meaning: '', action: 'See status.' };

/** One cluster's join API in memory: it remembers whom it is connected to and what was asked, and checks nothing. */
export class FakeJoinApi implements JoinApi {
  readonly endpoint: string;
  readonly name: string;
  readonly id: number;
  readonly peers = new Set<string>();
  readonly calls: string[] = [];
  tokens: TokenRequest[] = [];
  /** What each call of `remotes` answers: the first is used up until one is left. */
  statuses: RemoteStatus[][] = [[]];
  known: Certificates = { certificates: [], refused: [] };
  caStatus: CaStatus = { cas: [], waitsFor: [], stillTrusted: [] };
  connectionsEnded: number | null = 4;
  /** Nobody answers. */
  down = false;
  /** So many calls from now on get no answer. */
  downFor = 0;

  constructor(name: string, id: number) {
    this.endpoint = `https://${name}.test:4280`;
    this.name = name;
    this.id = id;
  }

  async cluster(): Promise<ClusterInfo> {
    this.#called('cluster');
    const clusters = [...this.peers].map((name, index) => ({ name, id: 100 + index, podCIDRs: [] }));
    return { ...this.#facts(), clusters };
  }

  async remotes(): Promise<readonly RemoteStatus[]> {
    this.#called('remotes');
    return (this.statuses.length > 1 ? this.statuses.shift() : this.statuses[0]) ?? [];
  }

  async offer(peer: string): Promise<ClusterOffer> {
    this.#called(`offer ${peer}`);
    return this.#offer();
  }

  async accept(offer: ClusterOffer): Promise<Accepted> {
    this.#called(`accept ${offer.name}`);
    return { offer: this.#offer(), certificate: PEM, session: 's' };
  }

  async confirm(offer: ClusterOffer): Promise<Confirmed> {
    this.#called(`confirm ${offer.name}`);
    this.peers.add(offer.name);
    return { certificate: PEM };
  }

  async complete(first: string): Promise<Done> {
    this.#called(`complete ${first}`);
    this.peers.add(first);
    return { name: first, connected: true };
  }

  async disconnect(name: string): Promise<Done> {
    this.#called(`disconnect ${name}`);
    if (!this.peers.delete(name)) throw new CodedError(NOT_CONNECTED, `${name} is not connected`, { object: name });
    return { name, connected: false };
  }

  async createToken(request: TokenRequest): Promise<TokenResponse> {
    this.#called('createToken');
    this.tokens.push(request);
    return { token: `isth1.${'0'.repeat(16)}.${'s'.repeat(43)}.${'a'.repeat(64)}`, id: '0'.repeat(16), expires: '2026-01-01T00:10:00Z' };
  }

  async node({ name }: NodeRequest): Promise<NodeResponse> {
    throw new Error(`${name} needs certificates of a real CA`);
  }

  async checkIn(): Promise<CheckInResponse> {
    throw new Error('people do not check in');
  }

  async renew(): Promise<RenewalResponse> {
    throw new Error('people do not renew');
  }

  async revoke(name: string): Promise<RevocationDone> {
    this.#called(`revoke ${name}`);
    if (!this.peers.has(name)) throw new CodedError(NOT_CONNECTED, `${name} is not connected`, { object: name });
    return { name, certificates: 1, connectionsEnded: this.connectionsEnded };
  }

  async certificates(): Promise<Certificates> {
    this.#called('certificates');
    return this.known;
  }

  async ca(): Promise<CaStatus> {
    this.#called('ca');
    return this.caStatus;
  }

  async rotateCa(): Promise<CaStatus> {
    this.#called('rotateCa');
    return this.caStatus;
  }

  async retireCa(force: boolean): Promise<CaStatus> {
    this.#called(`retireCa ${force}`);
    return this.caStatus;
  }

  #called(what: string): void {
    if (this.down || this.downFor-- > 0) throw new CodedError(JOIN_API_UNREACHABLE, 'no answer (ECONNREFUSED)', { object: this.endpoint });
    this.calls.push(what);
  }

  #facts(): Omit<ClusterInfo, 'clusters'> {
    const { name, id, endpoint } = this;
    return { name, id, maxConnectedClusters: 255, podCIDRs: [], endpoints: [endpoint], caBundle: PEM };
  }

  #offer(): ClusterOffer {
    return { ...this.#facts(), csr: '-----BEGIN CERTIFICATE REQUEST-----\n' };
  }
}

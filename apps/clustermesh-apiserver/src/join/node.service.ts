import { CodedError } from '@isthmus/core';
import { agentProfile, clientNames, clientProfile, type NodeRequest, type NodeResponse, type TokenLedger } from '@isthmus/crypto';
import { JOIN_FORBIDDEN, JOIN_NODE_NAME_TAKEN } from './join.errors.ts';
import type { EtcdUsers, JoinLog, LocalCluster, Signer } from './ports.ts';
import type { Principal } from './principal.ts';

/** What a {@link NodeService} works with. */
export interface NodeServiceOptions {
  local: LocalCluster;
  signer: Signer;
  users: EtcdUsers;
  tokens: TokenLedger;
  log: JoinLog;
}

/** Gives nodes their certificates: the first against a node token, later ones against the current certificate. */
export class NodeService {
  readonly #ports: NodeServiceOptions;

  constructor(options: NodeServiceOptions) {
    this.#ports = options;
  }

  /** @throws CodedError JOIN_FORBIDDEN, JOIN_NODE_NAME_TAKEN, TOKEN_*, REQUEST_* */
  async issue(caller: Principal, request: NodeRequest): Promise<NodeResponse> {
    const { local, users, log } = this.#ports;
    await this.#mayHave(caller, request.name);
    const self = await local.describe();
    const answer = await this.#certificates(self.name, request);
    // The user comes before the token is used up: if it cannot be made, the token is still good for another try.
    await users.ensureAgentUser(request.name);
    if (caller.kind === 'token') await this.#ports.tokens.redeem(caller.id, { kind: 'node', subject: request.name });
    log.info({ node: request.name, renewal: caller.kind === 'node' }, 'node certificates issued');
    return { ...answer, clusterEtcd: { endpoints: self.clusterEtcdEndpoints }, meshEtcd: { endpoints: self.endpoints } };
  }

  async #certificates(cluster: string, request: NodeRequest): Promise<Pick<NodeResponse, 'certificate' | 'meshCertificate' | 'caBundle'>> {
    const { signer } = this.#ports;
    return {
      certificate: await signer.sign(request.csr, agentProfile(cluster, request.name)),
      meshCertificate: await signer.sign(request.csr, clientProfile(clientNames.local(cluster))),
      caBundle: await signer.caBundle(),
    };
  }

  async #mayHave(caller: Principal, name: string): Promise<void> {
    if (caller.kind === 'node' && caller.name === name) return;
    if (caller.kind !== 'token') {
      throw new CodedError(JOIN_FORBIDDEN, `${caller.kind} ${caller.name} may not have certificates of node ${name}`, { object: name });
    }
    await this.#ports.tokens.check(caller.id, { kind: 'node', subject: name });
    if (caller.subject === undefined && (await this.#ports.users.hasAgentUser(name))) {
      throw new CodedError(JOIN_NODE_NAME_TAKEN, `node ${name} exists and token ${caller.id} does not name it`, { object: name });
    }
  }
}

import type { Clock } from '@isthmus/core';
import type { RandomBytes, TokenLedger } from '@isthmus/crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import { CallerIdentity } from './caller-identity.ts';
import { ClusterInfoService } from './cluster-info.service.ts';
import { CallerGuard } from './http/caller.guard.ts';
import { ClustersController } from './http/clusters.controller.ts';
import { CredentialsController } from './http/credentials.controller.ts';
import { OpenApiController } from './http/openapi.controller.ts';
import { JoinService } from './join.service.ts';
import { CALLER_IDENTITY, CLUSTER_INFO_SERVICE, JOIN_SERVICE, NODE_SERVICE, REMOTE_STATUS, TOKEN_LEDGER } from './join.tokens.ts';
import { NodeService } from './node.service.ts';
import type { EtcdUsers, JoinLog, LocalCluster, OwnProblems, RemoteConfigStore, RemoteStatusSource, Signer } from './ports.ts';

/** Everything that the join API reaches outside itself. */
export interface JoinPorts {
  local: LocalCluster;
  remotes: RemoteConfigStore;
  status: RemoteStatusSource;
  problems: OwnProblems;
  signer: Signer;
  users: EtcdUsers;
  tokens: TokenLedger;
  clock: Clock;
  randomBytes: RandomBytes;
  log: JoinLog;
}

/** The join API: connects clusters and gives nodes their certificates. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a module with parameters
export class JoinModule {
  /** The module over these ports. */
  static register(ports: JoinPorts): DynamicModule {
    return {
      module: JoinModule,
      controllers: [ClustersController, CredentialsController, OpenApiController],
      providers: [
        CallerGuard,
        { provide: JOIN_SERVICE, useValue: new JoinService(ports) },
        { provide: NODE_SERVICE, useValue: new NodeService(ports) },
        { provide: CLUSTER_INFO_SERVICE, useValue: new ClusterInfoService(ports) },
        { provide: CALLER_IDENTITY, useValue: new CallerIdentity(ports) },
        { provide: TOKEN_LEDGER, useValue: ports.tokens },
        { provide: REMOTE_STATUS, useValue: ports.status },
      ],
    };
  }
}

import type { Clock } from '@isthmus/core';
import type { RandomBytes, TokenLedger } from '@isthmus/crypto';
import { type DynamicModule, Module } from '@nestjs/common';
import type { CheckIns } from '../certificates/check-ins.ts';
import type { IssuedLedger } from '../certificates/issued-ledger.ts';
import type { Refusals } from '../certificates/refusals.ts';
import { CallerIdentity } from './caller-identity.ts';
import { CheckInService } from './check-in.service.ts';
import { ClusterInfoService } from './cluster-info.service.ts';
import { CallerGuard } from './http/caller.guard.ts';
import { CertificatesController } from './http/certificates.controller.ts';
import { ClustersController } from './http/clusters.controller.ts';
import { CredentialsController } from './http/credentials.controller.ts';
import { OpenApiController } from './http/openapi.controller.ts';
import { JoinService } from './join.service.ts';
import {
  CA_CHANGER,
  CALLER_IDENTITY,
  CERTIFICATE_SOURCE,
  CHECK_IN_SERVICE,
  CLUSTER_INFO_SERVICE,
  JOIN_SERVICE,
  NODE_SERVICE,
  REMOTE_STATUS,
  TOKEN_LEDGER,
} from './join.tokens.ts';
import { NodeService } from './node.service.ts';
import type {
  CaChanger,
  CertificateSource,
  EncryptionTarget,
  EtcdUsers,
  JoinLog,
  LocalCluster,
  OwnProblems,
  RemoteAccess,
  RemoteConfigStore,
  RemoteStatusSource,
  Signer,
} from './ports.ts';

/** Everything that the join API reaches outside itself. */
export interface JoinPorts {
  local: LocalCluster;
  remotes: RemoteConfigStore;
  status: RemoteStatusSource;
  problems: OwnProblems;
  signer: Signer;
  users: EtcdUsers;
  access: RemoteAccess;
  ledger: IssuedLedger;
  checkIns: CheckIns;
  refusals: Refusals;
  certificates: CertificateSource;
  ca: CaChanger;
  tokens: TokenLedger;
  target: EncryptionTarget;
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
      controllers: [ClustersController, CredentialsController, CertificatesController, OpenApiController],
      providers: [
        CallerGuard,
        { provide: JOIN_SERVICE, useValue: new JoinService(ports) },
        { provide: NODE_SERVICE, useValue: new NodeService(ports) },
        { provide: CLUSTER_INFO_SERVICE, useValue: new ClusterInfoService(ports) },
        { provide: CHECK_IN_SERVICE, useValue: new CheckInService(ports) },
        { provide: CERTIFICATE_SOURCE, useValue: ports.certificates },
        { provide: CA_CHANGER, useValue: ports.ca },
        { provide: CALLER_IDENTITY, useValue: new CallerIdentity(ports) },
        { provide: TOKEN_LEDGER, useValue: ports.tokens },
        { provide: REMOTE_STATUS, useValue: ports.status },
      ],
    };
  }
}

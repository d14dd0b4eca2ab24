import {
  type Accepted,
  type ClusterInfo,
  type ClusterOffer,
  type CompleteRequest,
  type Confirmed,
  clusterNameSchema,
  completeRequestSchema,
  type Done,
  type JoinRequest,
  joinRequestSchema,
  type OfferRequest,
  offerRequestSchema,
  type RemoteStatus,
} from '@isthmus/crypto';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import type { ClusterInfoService } from '../cluster-info.service.ts';
import type { JoinService } from '../join.service.ts';
import { CLUSTER_INFO_SERVICE, JOIN_SERVICE, REMOTE_STATUS } from '../join.tokens.ts';
import type { RemoteStatusSource } from '../ports.ts';
import type { Principal } from '../principal.ts';
import { Allow, Caller, CallerGuard } from './caller.guard.ts';
import { ZodBody } from './zod-body.pipe.ts';

/** This cluster, its remotes, and the four calls of the join. */
@Controller('v1')
@UseGuards(CallerGuard)
export class ClustersController {
  readonly #join: JoinService;
  readonly #info: ClusterInfoService;
  readonly #status: RemoteStatusSource;

  constructor(
    @Inject(JOIN_SERVICE) join: JoinService,
    @Inject(CLUSTER_INFO_SERVICE) info: ClusterInfoService,
    @Inject(REMOTE_STATUS) status: RemoteStatusSource,
  ) {
    this.#join = join;
    this.#info = info;
    this.#status = status;
  }

  @Get('cluster')
  @Allow('admin', 'node', 'token')
  async cluster(@Caller() caller: Principal): Promise<ClusterInfo> {
    return await this.#info.describe(caller);
  }

  @Get('clusters')
  @Allow('admin')
  async clusters(): Promise<{ clusters: readonly RemoteStatus[] }> {
    return { clusters: await this.#status.list() };
  }

  @Post('clusters/offers')
  @HttpCode(200)
  @Allow('admin', 'token')
  async offer(@Caller() caller: Principal, @Body(new ZodBody(offerRequestSchema)) body: OfferRequest): Promise<ClusterOffer> {
    return await this.#join.offer(caller, body.peer);
  }

  @Post('clusters')
  @HttpCode(200)
  @Allow('admin', 'token')
  async join(@Caller() caller: Principal, @Body(new ZodBody(joinRequestSchema)) body: JoinRequest): Promise<Accepted | Confirmed> {
    if (body.certificate === undefined) return await this.#join.accept(caller, body.offer);
    return await this.#join.confirm(caller, body.offer, body.certificate);
  }

  @Post('clusters/:name/complete')
  @HttpCode(200)
  @Allow('admin', 'token')
  async complete(
    @Caller() caller: Principal,
    @Param('name', new ZodBody(clusterNameSchema)) name: string,
    @Body(new ZodBody(completeRequestSchema)) body: CompleteRequest,
  ): Promise<Done> {
    return await this.#join.complete(caller, name, body);
  }

  @Delete('clusters/:name')
  @Allow('admin', 'token')
  async disconnect(@Caller() caller: Principal, @Param('name', new ZodBody(clusterNameSchema)) name: string): Promise<Done> {
    return await this.#join.disconnect(caller, name);
  }
}

import {
  type CaStatus,
  type Certificates,
  type CheckInRequest,
  type CheckInResponse,
  checkInRequestSchema,
  clusterNameSchema,
  type RenewalRequest,
  type RenewalResponse,
  type RetireRequest,
  type RevocationDone,
  renewalRequestSchema,
  retireRequestSchema,
} from '@isthmus/crypto';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import type { CheckInService } from '../check-in.service.ts';
import type { JoinService } from '../join.service.ts';
import { CA_CHANGER, CERTIFICATE_SOURCE, CHECK_IN_SERVICE, JOIN_SERVICE } from '../join.tokens.ts';
import type { CaChanger, CertificateSource } from '../ports.ts';
import type { Principal } from '../principal.ts';
import { Allow, Caller, CallerGuard } from './caller.guard.ts';
import { ZodBody } from './zod-body.pipe.ts';

/** Certificates after the first: their renewal, their end, and the CA behind them. */
@Controller('v1')
@UseGuards(CallerGuard)
export class CertificatesController {
  readonly #checkIns: CheckInService;
  readonly #join: JoinService;
  readonly #certificates: CertificateSource;
  readonly #ca: CaChanger;

  constructor(
    @Inject(CHECK_IN_SERVICE) checkIns: CheckInService,
    @Inject(JOIN_SERVICE) join: JoinService,
    @Inject(CERTIFICATE_SOURCE) certificates: CertificateSource,
    @Inject(CA_CHANGER) ca: CaChanger,
  ) {
    this.#checkIns = checkIns;
    this.#join = join;
    this.#certificates = certificates;
    this.#ca = ca;
  }

  @Post('check-ins')
  @HttpCode(200)
  @Allow('node', 'remote')
  async checkIn(@Caller() caller: Principal, @Body(new ZodBody(checkInRequestSchema)) body: CheckInRequest): Promise<CheckInResponse> {
    return await this.#checkIns.checkIn(caller, body);
  }

  @Post('clusters/:name/renew')
  @HttpCode(200)
  @Allow('remote')
  async renew(
    @Caller() caller: Principal,
    @Param('name', new ZodBody(clusterNameSchema)) name: string,
    @Body(new ZodBody(renewalRequestSchema)) body: RenewalRequest,
  ): Promise<RenewalResponse> {
    return await this.#checkIns.renew(caller, name, body.csr);
  }

  @Post('clusters/:name/revoke')
  @HttpCode(200)
  @Allow('admin')
  async revoke(@Param('name', new ZodBody(clusterNameSchema)) name: string): Promise<RevocationDone> {
    return await this.#join.revoke(name);
  }

  @Get('certificates')
  @Allow('admin')
  async certificates(): Promise<Certificates> {
    return await this.#certificates.list();
  }

  @Get('ca')
  @Allow('admin')
  async ca(): Promise<CaStatus> {
    return await this.#ca.status();
  }

  @Post('ca/rotate')
  @HttpCode(200)
  @Allow('admin')
  async rotate(): Promise<CaStatus> {
    return await this.#ca.rotate();
  }

  @Post('ca/retire')
  @HttpCode(200)
  @Allow('admin')
  async retire(@Body(new ZodBody(retireRequestSchema)) body: RetireRequest): Promise<CaStatus> {
    return await this.#ca.retire(body.force);
  }
}

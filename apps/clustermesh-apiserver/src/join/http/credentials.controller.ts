import {
  type NodeRequest,
  type NodeResponse,
  nodeRequestSchema,
  type TokenLedger,
  type TokenRequest,
  type TokenResponse,
  tokenRequestSchema,
} from '@isthmus/crypto';
import { Body, Controller, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { NODE_SERVICE, TOKEN_LEDGER } from '../join.tokens.ts';
import type { NodeService } from '../node.service.ts';
import type { Principal } from '../principal.ts';
import { Allow, Caller, CallerGuard } from './caller.guard.ts';
import { ZodBody } from './zod-body.pipe.ts';

/** One-time tokens, and the certificates of nodes. */
@Controller('v1')
@UseGuards(CallerGuard)
export class CredentialsController {
  readonly #tokens: TokenLedger;
  readonly #nodes: NodeService;

  constructor(@Inject(TOKEN_LEDGER) tokens: TokenLedger, @Inject(NODE_SERVICE) nodes: NodeService) {
    this.#tokens = tokens;
    this.#nodes = nodes;
  }

  @Post('tokens')
  @HttpCode(200)
  @Allow('admin')
  async createToken(@Body(new ZodBody(tokenRequestSchema)) body: TokenRequest): Promise<TokenResponse> {
    const { ttlSeconds, ...order } = body;
    const { text, record } = await this.#tokens.issue({ ...order, ...(ttlSeconds === undefined ? {} : { ttl: ttlSeconds * 1000 }) });
    return { token: text, id: record.id, expires: new Date(record.expires).toISOString() };
  }

  @Post('nodes')
  @HttpCode(200)
  @Allow('token', 'node')
  async node(@Caller() caller: Principal, @Body(new ZodBody(nodeRequestSchema)) body: NodeRequest): Promise<NodeResponse> {
    return await this.#nodes.issue(caller, body);
  }
}

import type { TLSSocket } from 'node:tls';
import { CodedError } from '@isthmus/core';
import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import type { CallerIdentity } from '../caller-identity.ts';
import { JOIN_FORBIDDEN } from '../join.errors.ts';
import { CALLER_IDENTITY } from '../join.tokens.ts';
import type { Principal } from '../principal.ts';

const ALLOWED = 'isthmus:allowed';

/** The part of a Fastify request that the guard touches. */
interface GuardedRequest {
  headers: { authorization?: string };
  raw: { socket: TLSSocket };
  caller?: Principal;
}

/** Says which kinds of caller a route is for. A route that does not say is for nobody. */
export const Allow = (...kinds: Principal['kind'][]): MethodDecorator => SetMetadata(ALLOWED, kinds);

/** The caller that the guard found. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<GuardedRequest>().caller;
});

/** Lets in who holds a certificate or token and is of a kind that the route is for. */
@Injectable()
export class CallerGuard implements CanActivate {
  readonly #identity: CallerIdentity;

  constructor(@Inject(CALLER_IDENTITY) identity: CallerIdentity) {
    this.#identity = identity;
  }

  /** @throws CodedError JOIN_UNAUTHENTICATED, JOIN_FORBIDDEN, TOKEN_UNKNOWN */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const caller = await this.#identity.identify({
      authorization: request.headers.authorization,
      certificatePem: clientCertificate(request.raw.socket),
    });
    const allowed = (Reflect.getMetadata(ALLOWED, context.getHandler()) ?? []) as Principal['kind'][];
    if (!allowed.includes(caller.kind)) {
      const name = caller.kind === 'token' ? caller.id : caller.name;
      throw new CodedError(JOIN_FORBIDDEN, `${caller.kind} ${name} may not make this call`, { object: name });
    }
    request.caller = caller;
    return true;
  }
}

function clientCertificate(socket: TLSSocket): string | undefined {
  const { raw } = socket.getPeerCertificate();
  return raw && `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

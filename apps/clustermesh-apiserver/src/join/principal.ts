import type { TokenKind } from '@isthmus/crypto';

/** Who calls. A token's holder is known only as the token's number. */
export type Principal =
  | { kind: 'admin'; name: string }
  | { kind: 'node'; name: string }
  | { kind: 'token'; id: string; tokenKind: TokenKind; subject: string | undefined; expires: number };

/** One text per principal, to tell whether two calls come from the same. */
export function principalKey(principal: Principal): string {
  return `${principal.kind}:${principal.kind === 'token' ? principal.id : principal.name}`;
}

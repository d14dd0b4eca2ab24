import { CodedError } from '@isthmus/core';
import { prefixEnd, prefixRange } from '../../key-range.ts';
import type { KvPermission } from '../../kv-auth.ts';
import { KV_PERMISSION, KV_REQUEST } from '../../kv-errors.ts';

/** What a request touches: one key, or all keys with a prefix. */
export type MemoryScope = { key: string } | { prefix: string };

/** Users, roles and rights of the in-memory store, checked as etcd checks them. */
export class MemoryAuth {
  enabled = false;
  readonly users = new Map<string, Set<string>>();
  readonly roles = new Map<string, Map<string, KvPermission>>();

  /** Turns checking on. */
  enable(): void {
    if (!this.users.get('root')?.has('root')) throw new CodedError(KV_REQUEST, 'root user does not have root role', { object: 'root' });
    this.enabled = true;
  }

  /** @throws CodedError KV_PERMISSION when the user may not */
  check(user: string, access: 'read' | 'write', scope: MemoryScope): void {
    if (this.enabled && !this.isRoot(user) && !this.#permits(user, access, scope)) {
      const object = 'key' in scope ? scope.key : scope.prefix;
      throw new CodedError(KV_PERMISSION, `user ${user} may not ${access} ${object}`, { object });
    }
  }

  /** True when the user may do everything. */
  isRoot(user: string): boolean {
    return this.users.get(user)?.has('root') === true;
  }

  #permits(user: string, access: 'read' | 'write', scope: MemoryScope): boolean {
    const permissions = [...(this.users.get(user) ?? [])].flatMap((role) => [...(this.roles.get(role)?.values() ?? [])]);
    return permissions.some((p) => (p.access === access || p.access === 'readwrite') && covers(p, scope));
  }
}

/** The name under which a role keeps a permission: one per key or prefix, whatever its access. */
export function permissionName(permission: KvPermission): string {
  return 'key' in permission ? `=${permission.key}` : `^${permission.prefix}`;
}

function covers(permission: KvPermission, scope: MemoryScope): boolean {
  if ('key' in permission) return 'key' in scope && scope.key === permission.key;
  if (permission.prefix === '') return true;
  const { start, end } = prefixRange(permission.prefix);
  const first = Buffer.from('key' in scope ? scope.key : scope.prefix);
  const inside = Buffer.compare(first, start) >= 0 && Buffer.compare(first, end) < 0;
  return inside && ('key' in scope || Buffer.compare(prefixEnd(first), end) <= 0);
}

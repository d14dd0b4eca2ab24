import type { KvAuth, KvPermission } from '@isthmus/kvstore';
import type { EtcdRole } from './etcd-roles.ts';

/** Makes a role allow exactly what it says. What is right already is not written: each change of rights costs all clients a retry. */
export async function ensureRole(auth: KvAuth, role: EtcdRole): Promise<void> {
  const present = await auth.rolePermissions(role.name);
  if (!present) await auth.addRole(role.name);
  const [has, wants] = [new Set((present ?? []).map(textOf)), new Set(role.permissions.map(textOf))];
  for (const permission of role.permissions) if (!has.has(textOf(permission))) await auth.grantPermission(role.name, permission);
  const ranges = new Set(role.permissions.map(rangeOf));
  for (const permission of present ?? [])
    if (!wants.has(textOf(permission)) && !ranges.has(rangeOf(permission))) await auth.revokePermission(role.name, permission);
}

/** Makes a user have exactly these roles, which exist. */
export async function ensureUser(auth: KvAuth, user: string, roles: readonly string[]): Promise<void> {
  const present = await auth.userRoles(user);
  if (!present) await auth.addUser(user);
  for (const role of roles) if (!present?.includes(role)) await auth.grantRole(user, role);
  for (const role of present ?? []) if (!roles.includes(role)) await auth.revokeRole(user, role);
}

function rangeOf(permission: KvPermission): string {
  return 'key' in permission ? `=${permission.key}` : `^${permission.prefix}`;
}

function textOf(permission: KvPermission): string {
  return permission.access + rangeOf(permission);
}

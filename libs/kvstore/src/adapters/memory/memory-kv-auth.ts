import { CodedError } from '@isthmus/core';
import type { KvAuth, KvPermission } from '../../kv-auth.ts';
import { KV_PERMISSION, KV_REQUEST } from '../../kv-errors.ts';
import { type MemoryAuth, permissionName } from './memory-auth.ts';

/** The administration of a {@link MemoryAuth}, as one user sees it. */
export class MemoryKvAuth implements KvAuth {
  readonly #auth: () => MemoryAuth;
  readonly #user: string;

  constructor(auth: () => MemoryAuth, user: string) {
    this.#auth = auth;
    this.#user = user;
  }

  async addUser(name: string): Promise<void> {
    const { users } = this.#admin();
    if (!users.has(name)) users.set(name, new Set());
  }

  async removeUser(name: string): Promise<void> {
    this.#admin().users.delete(name);
  }

  async users(): Promise<readonly string[]> {
    return [...this.#admin().users.keys()].sort();
  }

  async userRoles(name: string): Promise<readonly string[] | undefined> {
    const roles = this.#admin().users.get(name);
    return roles && [...roles].sort();
  }

  async addRole(name: string): Promise<void> {
    const { roles } = this.#admin();
    if (!roles.has(name)) roles.set(name, new Map());
  }

  async removeRole(name: string): Promise<void> {
    const auth = this.#admin();
    auth.roles.delete(name);
    for (const roles of auth.users.values()) roles.delete(name);
  }

  async roles(): Promise<readonly string[]> {
    return [...this.#admin().roles.keys()].sort();
  }

  async rolePermissions(name: string): Promise<readonly KvPermission[] | undefined> {
    const permissions = this.#admin().roles.get(name);
    return permissions && [...permissions.values()];
  }

  async grantRole(user: string, role: string): Promise<void> {
    const auth = this.#admin();
    if (!auth.roles.has(role) && role !== 'root') throw new CodedError(KV_REQUEST, `there is no role ${role}`, { object: role });
    found(auth.users.get(user), 'user', user).add(role);
  }

  async revokeRole(user: string, role: string): Promise<void> {
    this.#admin().users.get(user)?.delete(role);
  }

  async grantPermission(role: string, permission: KvPermission): Promise<void> {
    found(this.#admin().roles.get(role), 'role', role).set(permissionName(permission), permission);
  }

  async revokePermission(role: string, permission: KvPermission): Promise<void> {
    this.#admin().roles.get(role)?.delete(permissionName(permission));
  }

  async enable(): Promise<void> {
    this.#admin().enable();
  }

  #admin(): MemoryAuth {
    const auth = this.#auth();
    if (!auth.enabled || auth.isRoot(this.#user)) return auth;
    throw new CodedError(KV_PERMISSION, `user ${this.#user} may not administer users`, { object: this.#user });
  }
}

function found<T>(thing: T | undefined, kind: string, name: string): T {
  if (thing === undefined) throw new CodedError(KV_REQUEST, `there is no ${kind} ${name}`, { object: name });
  return thing;
}

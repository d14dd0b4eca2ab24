import type { KvCallOptions } from './kvstore.ts';

/** What a permission allows. */
export type KvAccess = 'read' | 'write' | 'readwrite';

/** A right on keys. Exactly one of `key` and `prefix`; the empty prefix means every key. */
export type KvPermission = { access: KvAccess } & ({ key: string } | { prefix: string });

/**
 * Users and roles of a store. Users have no password: they are the common names of client certificates.
 * Every method states a wish: adding what exists, granting what is granted and removing what is absent succeed.
 */
export interface KvAuth {
  addUser(name: string, options?: KvCallOptions): Promise<void>;
  removeUser(name: string, options?: KvCallOptions): Promise<void>;
  users(options?: KvCallOptions): Promise<readonly string[]>;
  /** Roles of one user, or undefined when there is no such user. */
  userRoles(name: string, options?: KvCallOptions): Promise<readonly string[] | undefined>;
  addRole(name: string, options?: KvCallOptions): Promise<void>;
  removeRole(name: string, options?: KvCallOptions): Promise<void>;
  roles(options?: KvCallOptions): Promise<readonly string[]>;
  /** Permissions of one role, or undefined when there is no such role. Ranges that are neither key nor prefix are left out. */
  rolePermissions(name: string, options?: KvCallOptions): Promise<readonly KvPermission[] | undefined>;
  grantRole(user: string, role: string, options?: KvCallOptions): Promise<void>;
  revokeRole(user: string, role: string, options?: KvCallOptions): Promise<void>;
  /** Grants, or changes the access of the same key or prefix. */
  grantPermission(role: string, permission: KvPermission, options?: KvCallOptions): Promise<void>;
  /** Takes the right on this key or prefix away, whatever its access was. */
  revokePermission(role: string, permission: KvPermission, options?: KvCallOptions): Promise<void>;
  /** Turns checking on. Needs a user `root` with the role `root`, or the store locks itself out and refuses (`KV_REQUEST`). */
  enable(options?: KvCallOptions): Promise<void>;
}

import { CodedError, isCoded } from '@isthmus/core';
import { prefixRange, rangePrefix } from '../../key-range.ts';
import type { KvAccess, KvAuth, KvPermission } from '../../kv-auth.ts';
import { KV_REQUEST } from '../../kv-errors.ts';
import type { KvCallOptions } from '../../kvstore.ts';
import type { EtcdRpc } from './etcd-rpc.ts';
import { definedMethod } from './protos.ts';

interface WirePermission {
  permType: 'READ' | 'WRITE' | 'READWRITE';
  key: Buffer;
  rangeEnd: Buffer;
}

// etcd's words for a state that is already as wished
const THERE = /already exists/;
const ABSENT = /not found|is not granted/;

/** etcd's users and roles. */
export class EtcdKvAuth implements KvAuth {
  readonly #rpc: EtcdRpc;

  constructor(rpc: EtcdRpc) {
    this.#rpc = rpc;
  }

  async addUser(name: string, options?: KvCallOptions): Promise<void> {
    await this.#wish('UserAdd', { name, options: { noPassword: true } }, `user ${name}`, THERE, options);
  }

  async removeUser(name: string, options?: KvCallOptions): Promise<void> {
    await this.#wish('UserDelete', { name }, `user ${name}`, ABSENT, options);
  }

  async users(options?: KvCallOptions): Promise<readonly string[]> {
    return (await this.#ask<{ users: string[] }>('UserList', {}, 'users', options)).users.sort();
  }

  async userRoles(name: string, options?: KvCallOptions): Promise<readonly string[] | undefined> {
    return (await this.#find<{ roles: string[] }>('UserGet', { name }, `user ${name}`, options))?.roles.sort();
  }

  async addRole(name: string, options?: KvCallOptions): Promise<void> {
    await this.#wish('RoleAdd', { name }, `role ${name}`, THERE, options);
  }

  async removeRole(name: string, options?: KvCallOptions): Promise<void> {
    await this.#wish('RoleDelete', { name }, `role ${name}`, ABSENT, options);
  }

  async roles(options?: KvCallOptions): Promise<readonly string[]> {
    return (await this.#ask<{ roles: string[] }>('RoleList', {}, 'roles', options)).roles.sort();
  }

  async rolePermissions(name: string, options?: KvCallOptions): Promise<readonly KvPermission[] | undefined> {
    const found = await this.#find<{ perm: WirePermission[] }>('RoleGet', { name }, `role ${name}`, options);
    return found?.perm.map(readPermission).filter((permission) => permission !== undefined);
  }

  async grantRole(user: string, role: string, options?: KvCallOptions): Promise<void> {
    await this.#ask('UserGrantRole', { user, role }, `role ${role} of user ${user}`, options);
  }

  async revokeRole(user: string, role: string, options?: KvCallOptions): Promise<void> {
    await this.#wish('UserRevokeRole', { user, role }, `role ${role} of user ${user}`, ABSENT, options);
  }

  async grantPermission(role: string, permission: KvPermission, options?: KvCallOptions): Promise<void> {
    const perm = { permType: permission.access.toUpperCase(), ...permissionRange(permission) };
    await this.#ask('RoleGrantPermission', { name: role, perm }, `permission of role ${role}`, options);
  }

  async revokePermission(role: string, permission: KvPermission, options?: KvCallOptions): Promise<void> {
    await this.#wish('RoleRevokePermission', { role, ...permissionRange(permission) }, `permission of role ${role}`, ABSENT, options);
  }

  async enable(options?: KvCallOptions): Promise<void> {
    await this.#ask('AuthEnable', {}, 'authentication', options);
  }

  async #ask<R>(method: string, request: object, object: string, options: KvCallOptions = {}): Promise<R> {
    const { answer } = await this.#rpc.call(definedMethod<R>('Auth', method), request, { verb: method, object }, options);
    return answer;
  }

  /** Asks for a change; a refusal that says it is so already is success. */
  async #wish(method: string, request: object, object: string, fulfilled: RegExp, options?: KvCallOptions): Promise<void> {
    try {
      await this.#ask(method, request, object, options);
    } catch (error) {
      if (!(isCoded(error, KV_REQUEST) && fulfilled.test(error.message))) throw error;
    }
  }

  async #find<R>(method: string, request: object, object: string, options?: KvCallOptions): Promise<R | undefined> {
    try {
      return await this.#ask<R>(method, request, object, options);
    } catch (error) {
      if (isCoded(error, KV_REQUEST) && ABSENT.test(error.message)) return undefined;
      throw error;
    }
  }
}

function permissionRange(permission: KvPermission): { key: Buffer; rangeEnd?: Buffer } {
  if ('key' in permission) return { key: nonEmpty(permission.key) };
  const { start, end } = prefixRange(permission.prefix);
  return { key: start, rangeEnd: end };
}

function nonEmpty(key: string): Buffer {
  if (key === '') throw new CodedError(KV_REQUEST, 'a permission on the empty key means nothing', { object: 'permission' });
  return Buffer.from(key);
}

function readPermission({ permType, key, rangeEnd }: WirePermission): KvPermission | undefined {
  const access = permType.toLowerCase() as KvAccess;
  if (rangeEnd.length === 0) return { access, key: key.toString() };
  const prefix = rangePrefix(key, rangeEnd);
  return prefix === undefined ? undefined : { access, prefix };
}

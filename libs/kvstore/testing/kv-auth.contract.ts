import { KV_PERMISSION, KV_REQUEST } from '../src/index.ts';
import { type KvContractConnection, type KvContractSubject, listAll, rejection } from './kvstore.contract.ts';

/** What every store with users must do. `setup` starts a fresh server that checks nothing yet; its steps build on each other. */
export function describeKvAuth(name: string, setup: () => Promise<KvContractSubject>): void {
  describe(`KvAuth contract: ${name}`, () => {
    let subject: KvContractSubject;
    let root: KvContractConnection;
    beforeAll(async () => {
      subject = await setup();
      root = await subject.connect('root');
    });
    afterAll(() => subject.close());

    it('refuses to lock everybody out', async () => {
      await rejection(root.auth.enable(), KV_REQUEST);
    });

    it('takes every wish twice', async () => {
      const { auth } = root;
      for (let i = 0; i < 2; i++) {
        await auth.addUser('root');
        await auth.addRole('root');
        await auth.grantRole('root', 'root');
        await auth.addUser('remote-b');
        await auth.addRole('remote');
        await auth.grantRole('remote-b', 'remote');
        await auth.grantPermission('remote', { access: 'read', prefix: 'state/' });
        await auth.grantPermission('remote', { access: 'readwrite', key: 'own' });
        await auth.addUser('gone');
        await auth.addRole('gone');
        await auth.grantPermission('gone', { access: 'read', prefix: '' });
        await auth.revokePermission('gone', { access: 'read', key: 'never granted' });
      }
      expect(await auth.users()).toEqual(['gone', 'remote-b', 'root']);
      expect(await auth.roles()).toEqual(['gone', 'remote', 'root']);
      expect(await auth.userRoles('remote-b')).toEqual(['remote']);
      expect(await auth.rolePermissions('gone')).toEqual([{ access: 'read', prefix: '' }]);
      expect(new Set(await auth.rolePermissions('remote'))).toEqual(
        new Set([
          { access: 'read', prefix: 'state/' },
          { access: 'readwrite', key: 'own' },
        ]),
      );
    });

    it('takes things away twice', async () => {
      const { auth } = root;
      for (let i = 0; i < 2; i++) {
        await auth.revokePermission('gone', { access: 'read', prefix: '' });
        await auth.revokeRole('gone', 'gone');
        await auth.removeRole('gone');
        await auth.removeUser('gone');
      }
      expect(await auth.userRoles('gone')).toBeUndefined();
      expect(await auth.rolePermissions('gone')).toBeUndefined();
      await rejection(auth.grantRole('remote-b', 'nobody'), KV_REQUEST);
      await rejection(auth.grantRole('nobody', 'remote'), KV_REQUEST);
    });

    it('checks every call once enabled', async () => {
      await root.store.put('state/a', '1');
      await root.store.put('secret/a', '1');
      await root.auth.enable();
      await root.auth.enable();
      const { store, auth } = await subject.connect('remote-b');
      expect((await listAll(store, 'state/')).map((e) => e.key)).toEqual(['state/a']);
      await store.put('own', '1');
      expect((await rejection(store.put('state/a', '2'), KV_PERMISSION)).message).toContain('state/a');
      await rejection(store.get('secret/a'), KV_PERMISSION);
      await rejection(store.delete('state/a'), KV_PERMISSION);
      await rejection(listAll(store, 'stat'), KV_PERMISSION);
      await rejection(listAll(store, ''), KV_PERMISSION);
      await rejection(store.watch('secret/')[Symbol.asyncIterator]().next(), KV_PERMISSION);
      await rejection(auth.addUser('evil'), KV_PERMISSION);
      expect((await store.status()).errors).toEqual([]);
      expect(await (await store.witness()).stands()).toBe(true);
    });

    it('gives a new right to those already connected, and takes it back', async () => {
      const { store } = await subject.connect('remote-b');
      await rejection(store.get('later/a'), KV_PERMISSION);
      await root.auth.grantPermission('remote', { access: 'read', prefix: 'later/' });
      expect(await store.get('later/a')).toBeUndefined();
      await root.auth.revokePermission('remote', { access: 'read', prefix: 'later/' });
      await rejection(store.get('later/a'), KV_PERMISSION);
    });

    it('leaves calls alone that run while rights change', async () => {
      const churn = (async () => {
        for (let i = 0; i < 10; i++) await root.auth.addUser(`churn-${i}`);
      })();
      await Promise.all(Array.from({ length: 200 }, (_, i) => root.store.put(`churn/${i}`, '')));
      await churn;
    });

    it('lets a user that does not exist do nothing', async () => {
      const { store } = await subject.connect('stranger');
      await rejection(store.get('state/a'), KV_PERMISSION);
    });
  });
}

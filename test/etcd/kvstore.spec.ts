import { describeKvAuth } from '../../libs/kvstore/testing/kv-auth.contract.ts';
import { describeKvStore, type KvContractSubject } from '../../libs/kvstore/testing/kvstore.contract.ts';
import { EtcdProcess } from './etcd-process.ts';
import { TestPki } from './pki.ts';

async function subject(): Promise<KvContractSubject> {
  const pki = await TestPki.create();
  const etcd = await EtcdProcess.start({ pki });
  return {
    connect: async (user) => {
      const store = await etcd.connect(user);
      return { store, auth: store.auth, maintenance: store.maintenance };
    },
    close: async () => {
      await etcd.close();
      await pki.remove();
    },
  };
}

describeKvStore('etcd', subject);
describeKvAuth('etcd', subject);

import { certificateFacts, readCertificateFile } from '@isthmus/crypto';
import { EtcdKvStore, readEtcdConfig } from '@isthmus/kvstore';
import { KvWireGuardTargets } from '@isthmus/mesh';
import type { OpenTargets } from '../cli.ts';

/** The target in a cluster etcd. @param etcdFile etcd client file. @throws CodedError KV_*, KEY_FILE_*, WIREGUARD_TARGET */
export async function openEtcdTargets(etcdFile: string): Promise<OpenTargets> {
  const config = await readEtcdConfig(etcdFile);
  const { certFile } = config;
  // An etcd without certificates knows no users.
  const user = certFile === undefined ? '' : certificateFacts(await readCertificateFile(certFile), certFile).cn;
  const kv = new EtcdKvStore({ config });
  try {
    return { targets: await KvWireGuardTargets.ofEtcd(kv), user, close: () => kv.close() };
  } catch (error) {
    kv.close();
    throw error;
  }
}

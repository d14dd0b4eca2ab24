import { access } from 'node:fs/promises';
import type { Clock, Random } from '@isthmus/core';
import type { PairPaths } from '@isthmus/crypto';
import { type EtcdConfig, EtcdKvStore } from '@isthmus/kvstore';

/** How long a server gets to answer. Milliseconds. */
const TIMEOUT_MS = 3_000;

/** What {@link trustsFormerCa} works with. */
export interface FormerCaProbe {
  etcd: EtcdConfig;
  former: PairPaths;
  clock: Clock;
  random: Random;
}

/** Whether an etcd still lets in a certificate of the former CA. False as well when it does not answer, or when there was no other CA. */
export async function trustsFormerCa({ etcd, former, clock, random }: FormerCaProbe): Promise<boolean> {
  const there = await access(former.cert).then(
    () => true,
    () => false,
  );
  if (!there) return false;
  const config = { ...etcd, certFile: former.cert, keyFile: former.key };
  const kv = new EtcdKvStore({ config, clock, random, timeoutMs: TIMEOUT_MS, connectTimeoutMs: TIMEOUT_MS });
  try {
    await kv.status();
    return true;
  } catch {
    return false;
  } finally {
    kv.close();
  }
}

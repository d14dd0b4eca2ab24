import { readFile } from 'node:fs/promises';
import { CodedError, messageOf } from '@isthmus/core';
import { type EtcdConfig, parseEtcdConfig } from '../etcd-config.ts';
import { KV_CONFIG } from '../kv-errors.ts';

/** Reads an etcd client configuration file. @throws CodedError KV_CONFIG naming the file, and the field */
export async function readEtcdConfig(file: string): Promise<EtcdConfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CodedError(KV_CONFIG, `cannot read etcd configuration ${file}: ${messageOf(cause)}`, { object: file, cause });
  }
  return parseEtcdConfig(text, file);
}

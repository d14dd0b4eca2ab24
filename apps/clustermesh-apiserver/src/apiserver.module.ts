import { systemClock, systemRandom } from '@isthmus/core';
import { type DynamicModule, Module } from '@nestjs/common';
import { ApiserverProcess } from './apiserver-process.ts';
import type { Log } from './log.ts';
import type { ApiserverSettings } from './settings.ts';

/**
 * The clustermesh-apiserver. Contents:
 * - `export/`: the cluster's records into its mesh etcd; `mirror/`: remote clusters' records beside them
 * - `mesh-etcd/`: tables as keys of the mesh etcd, leases, canaries, what happens when the etcd is replaced
 * - `users/`: users and roles of both etcds; `join/`: the join API, a Nest module of its own behind TLS
 * - `status/`: metrics, and what the join API says of the mirrors
 */
@Module({})
class ApiserverModule {}

/** The module of one apiserver process. */
export function apiserverModule(settings: ApiserverSettings, log: Log): DynamicModule {
  const useFactory = (): ApiserverProcess => new ApiserverProcess({ settings, clock: systemClock, random: systemRandom, log });
  return { module: ApiserverModule, providers: [{ provide: ApiserverProcess, useFactory }] };
}

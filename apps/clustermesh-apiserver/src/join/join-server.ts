import 'reflect-metadata';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { CodedErrorFilter } from './http/coded-error.filter.ts';
import { JoinModule, type JoinPorts } from './join.module.ts';
import type { JoinService } from './join.service.ts';
import { JOIN_SERVICE } from './join.tokens.ts';
import { type TlsPaths, TlsReload } from './tls-reload.ts';

/** Bodies longer than this are refused unread. Bytes. */
const BODY_LIMIT = 256 * 1024;

/** A call that does not arrive within this time is dropped. Milliseconds. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Where the join API listens, and with which certificate. */
export interface JoinServerOptions extends TlsPaths {
  host: string;
  /** 0: any free port. */
  port: number;
}

/** A running join API. */
export interface JoinServer {
  /** `https://host:port` */
  url: string;
  /** Takes its certificate files over now, if they changed. */
  refreshCertificate(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the join API over HTTPS. Certificate files that change are taken over without a restart.
 * @throws CodedError KEY_FILE_MISSING, KEY_FILE_OPEN; Error when the address cannot be listened on
 */
export async function startJoinServer(options: JoinServerOptions, ports: JoinPorts): Promise<JoinServer> {
  const tls = new TlsReload(options, ports);
  const https = { ...(await tls.read()), requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' as const };
  const adapter = new FastifyAdapter({ https, bodyLimit: BODY_LIMIT, requestTimeout: REQUEST_TIMEOUT_MS, forceCloseConnections: true });
  // The adapter's type names its server's, the factory's does not; they are the same object.
  const app = await NestFactory.create<NestFastifyApplication>(JoinModule.register(ports), adapter as never, {
    logger: false,
    abortOnError: false,
  });
  app.useGlobalFilters(new CodedErrorFilter(ports.log));
  await app.listen(options.port, options.host);
  const server = app.getHttpServer() as unknown as Server;
  tls.watch(server);
  return {
    url: urlOf(server, options.host),
    refreshCertificate: () => tls.refresh(server),
    close: async () => {
      tls.stop();
      app.get<JoinService>(JOIN_SERVICE).close();
      await app.close();
    },
  };
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

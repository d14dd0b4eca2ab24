import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { CodedError, messageOf } from '@isthmus/core';
import type { ClientCertificate } from '../../client-certificate.ts';
import type { EtcdConfig } from '../../etcd-config.ts';
import { KV_CONFIG } from '../../kv-errors.ts';
import type { EtcdTarget } from './etcd-target.ts';

/** What one connection is opened with. */
export interface EtcdCredentials {
  credentials: ChannelCredentials;
  options: ChannelOptions;
  /** The client certificate, where there is one. */
  certificate?: ClientCertificate;
}

// Sent as TLS server name to endpoints that are plain IP addresses: RFC 6066 allows no address there. etcd does not look at it.
const NAME_FOR_ADDRESSES = 'etcd.isthmus.internal';

/**
 * Reads the certificate files anew: a certificate that was renewed on disk is used from the next connection on.
 * @throws CodedError KV_CONFIG naming the file that cannot be used
 */
export async function etcdCredentials(config: EtcdConfig, target: EtcdTarget): Promise<EtcdCredentials> {
  if (!target.secure) return { credentials: credentials.createInsecure(), options: {} };
  const [ca, cert, key] = await Promise.all([read(config.trustedCaFile), read(config.certFile), read(config.keyFile)]);
  const context = secureContext({ minVersion: 'TLSv1.2', ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }, config);
  const verify = (_: string, presented: PeerCertificate): Error | undefined => checkServerIdentity(target.identity, presented);
  return {
    credentials: credentials.createFromSecureContext(context, { checkServerIdentity: verify }),
    options: { 'grpc.ssl_target_name_override': isIP(target.identity) ? NAME_FOR_ADDRESSES : target.identity },
    ...(cert && config.certFile && { certificate: factsOf(cert, config.certFile) }),
  };
}

function factsOf(pem: Buffer, file: string): ClientCertificate {
  const { subject, issuer, validFrom, validTo } = new X509Certificate(pem);
  const nameIn = (text: string): string => /^CN=(.*)$/m.exec(text)?.[1] ?? '';
  return { name: nameIn(subject), issuer: nameIn(issuer), file, notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
}

async function read(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    throw new CodedError(KV_CONFIG, `cannot read ${file}: ${messageOf(cause)}`, { object: file, cause });
  }
}

function secureContext(options: SecureContextOptions, config: EtcdConfig) {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const files = [config.trustedCaFile, config.certFile, config.keyFile].filter((file) => file !== undefined).join(', ');
    // OpenSSL's reason alone: it names the mismatch, never the key
    throw new CodedError(KV_CONFIG, `the TLS files ${files} cannot be used together: ${messageOf(cause)}`, { object: files });
  }
}

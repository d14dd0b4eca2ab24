import { createSecureContext, type SecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Credential } from '../join/credential-keeper.ts';

/** TLS 1.3 by a credential, which may be renewed. Making a context parses keys, and freeing one takes the collector its time: one is kept. */
export class CredentialContext {
  #last: { readonly credential: Credential; readonly ca: string | undefined; readonly made: SecureContext } | undefined;

  /** @param ca PEM bundle of whom to believe; the machine's own unless given */
  of(credential: Credential, ca?: string): SecureContext {
    const last = this.#last;
    if (last !== undefined && last.ca === ca && isDeepStrictEqual(last.credential, credential)) return last.made;
    const { certificates, keyPem } = credential;
    const made = createSecureContext({ cert: certificates[0] ?? '', key: keyPem, ca, minVersion: 'TLSv1.3' });
    this.#last = { credential, ca, made };
    return made;
  }
}

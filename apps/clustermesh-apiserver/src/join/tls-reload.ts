import type { Server } from 'node:https';
import { type Cancel, type Clock, messageOf } from '@isthmus/core';
import { readCertificateFile, readKeyFile } from '@isthmus/crypto';
import type { JoinLog, Signer } from './ports.ts';

/** How often the server's certificate files are looked at. Milliseconds. */
export const TLS_RELOAD_MS = 60_000;

/** A server's own certificate files; the CA follows the server's certificate in its file, so that callers with a pin can check it. */
export interface TlsPaths {
  certPath: string;
  keyPath: string;
}

/** What a TLS server is set up with. */
export interface TlsContext {
  cert: string;
  key: string;
  /** Told to clients as the CAs whose certificates are welcome. The guard checks them, not the TLS layer. */
  ca: string;
}

/** Keeps a running server's certificate equal to its files. */
export class TlsReload {
  readonly #paths: TlsPaths;
  readonly #ports: { signer: Signer; clock: Clock; log: JoinLog };
  #current: TlsContext | undefined;
  #cancel: Cancel = () => undefined;
  #stopped = false;

  constructor(paths: TlsPaths, ports: { signer: Signer; clock: Clock; log: JoinLog }) {
    this.#paths = paths;
    this.#ports = ports;
  }

  /** The files as they are. @throws CodedError KEY_FILE_MISSING, KEY_FILE_OPEN */
  async read(): Promise<TlsContext> {
    const { certPath, keyPath } = this.#paths;
    const [cert, key, ca] = [await readCertificateFile(certPath), await readKeyFile(keyPath), await this.#ports.signer.caBundle()];
    this.#current ??= { cert, key, ca };
    return { cert, key, ca };
  }

  /** Looks at the files from time to time, until {@link stop}. */
  watch(server: Pick<Server, 'setSecureContext'>): void {
    this.#cancel = this.#ports.clock.after(TLS_RELOAD_MS, async () => {
      await this.refresh(server);
      if (!this.#stopped) this.watch(server);
    });
  }

  /** Takes changed files over now. Half-replaced ones are whole at the next look; until then the old certificate serves. */
  async refresh(server: Pick<Server, 'setSecureContext'>): Promise<void> {
    const { log } = this.#ports;
    const file = this.#paths.certPath;
    try {
      const next = await this.read();
      if (JSON.stringify(next) === JSON.stringify(this.#current)) return;
      server.setSecureContext({ ...next, minVersion: 'TLSv1.3' });
      this.#current = next;
      log.info({ file }, 'server certificate taken over');
    } catch (error) {
      log.error({ file, err: messageOf(error) }, 'server certificate cannot be re-read');
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }
}

/** A private key in PEM form: as a file has it, and as it stands in JSON, where line ends are backslashes and a letter. One that is cut off goes to where its text ends. */
const PRIVATE_KEY = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(?:[A-Za-z0-9+/=\s]|\\+[nr])*(?:-----END \1-----)?/g;
/** A one-time token. Its id may be shown. */
const TOKEN = /\bisth1\.([0-9a-f]{16})\.[A-Za-z0-9_-]{20,}(?:\.[0-9a-f]*)?/g;
/** What a caller shows a server; the scheme stays. */
const CREDENTIAL = /\b(authorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+)[^\s"',]+/gi;

/** What stands in the place of a secret. */
export const HIDDEN = '<left out>';

/** A text without the private keys, one-time tokens and credentials in it; whatever else it says stays as it is. */
export function hideSecrets(text: string): string {
  return text.replace(PRIVATE_KEY, `-----BEGIN $1----- ${HIDDEN}`).replace(TOKEN, `isth1.$1.${HIDDEN}`).replace(CREDENTIAL, `$1${HIDDEN}`);
}

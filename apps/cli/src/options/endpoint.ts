import { InvalidArgumentError } from 'commander';

/**
 * Reads the address of a join API: `host:port`, with or without `https://` before it; IPv6 addresses in brackets.
 * @returns `https://host:port`
 * @throws InvalidArgumentError
 */
export function parseEndpoint(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  const plain = url?.protocol === 'https:' && url.hostname !== '' && url.username === '' && ['', '/'].includes(url.pathname + url.search);
  // The parser drops a port that is https' own.
  const port = /:(\d+)\/?$/.exec(text)?.[1];
  if (!plain || port === undefined) throw new InvalidArgumentError('Write it as host:port.');
  return `https://${url.hostname}:${port}`;
}

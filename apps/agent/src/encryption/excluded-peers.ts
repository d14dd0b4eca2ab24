import { CodedError } from '@isthmus/core';
import { CONFIG_INVALID, type Config } from '@isthmus/model';

const KEY = 'wireguard-exclude-peers';
/** A cluster's name, alone or with one of its nodes'. */
const PEERS = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?(?:\/[^/]+)?$/;

/**
 * Whether a node, `<cluster>/<node>`, is one that nothing is sent to.
 * @throws CodedError CONFIG_INVALID for what names nobody; and where it would not hold, as plain packets may be sent
 */
export function excludedPeers(config: Pick<Config, 'wireguard-exclude-peers' | 'encryption-strict-mode'>): (name: string) => boolean {
  const excluded = new Set(config[KEY]);
  const wrong = [...excluded].find((text) => !PEERS.test(text));
  if (wrong !== undefined) throw refuse(`${KEY}: ${wrong} is neither a cluster nor <cluster>/<node>`);
  if (excluded.size > 0 && !config['encryption-strict-mode'])
    throw refuse(`${KEY} needs encryption-strict-mode: without it they would be sent to as it is`);
  return (name) => excluded.has(name) || excluded.has(name.slice(0, name.indexOf('/')));
}

function refuse(why: string): CodedError {
  return new CodedError(CONFIG_INVALID, why, { object: KEY });
}

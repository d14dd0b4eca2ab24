import { ENCRYPTION_EXEMPTIONS, type EncryptionExemption } from '@isthmus/model';

/** What of a node's own packets is never encrypted: the list for all nodes, and what this one's control planes are reached at. */
export function exemptPorts(endpoints: Readonly<Record<string, readonly string[]>>): EncryptionExemption[] {
  const own = Object.entries(endpoints).flatMap(([purpose, texts]): EncryptionExemption[] => {
    const ports = [...new Set(texts.map(portOf).filter((port) => port > 0))].sort((a, b) => a - b);
    return ports.length === 0 ? [] : [{ protocol: 'TCP', ports, purpose }];
  });
  return [...ENCRYPTION_EXEMPTIONS, ...own];
}

/** Of `https://host:port` or `host:port`; 0 where it names none. */
function portOf(endpoint: string): number {
  return Number(/:(\d+)\/?$/.exec(endpoint)?.[1] ?? 0);
}

import type { ServicePortRow } from '@isthmus/model';

/**
 * The backend's port that a service's port leads to: the one of the same name and protocol. Where either side gives no name, the two match
 * when each is the only one of its protocol.
 */
export function matchPort(
  port: ServicePortRow,
  servicePorts: readonly ServicePortRow[],
  backendPorts: readonly ServicePortRow[],
): ServicePortRow | undefined {
  const named = backendPorts.find((each) => each.name === port.name && each.protocol === port.protocol);
  if (named) return named;
  const only = onlyOf(port.protocol, backendPorts);
  if (!only || onlyOf(port.protocol, servicePorts) !== port) return undefined;
  return only.name === '' || port.name === '' ? only : undefined;
}

function onlyOf(protocol: string, ports: readonly ServicePortRow[]): ServicePortRow | undefined {
  const [first, second] = ports.filter((each) => each.protocol === protocol);
  return second === undefined ? first : undefined;
}

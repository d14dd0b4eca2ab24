import type { EndpointRow } from '@isthmus/model';
import { z } from 'zod';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import { CNI_CODE } from './cni-code.ts';
import type { CniRequest } from './cni-request.ts';
import { CniRequestInvalid } from './cni-request-invalid.ts';

const texts = z.array(z.string()).nullish();
const dnsSchema = z.looseObject({ nameservers: texts, domain: z.string().nullish(), search: texts, options: texts });
const interfaceSchema = z.looseObject({ name: z.string(), mac: z.string().optional(), sandbox: z.string().optional() });
const ipSchema = z.looseObject({ address: z.string(), interface: z.number().int().optional() });
const routeSchema = z.looseObject({ dst: z.string(), gw: z.string().optional() });

/** Lists are null where a plugin written in Go has nothing to say. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((all) => all ?? []);

const previousSchema = z.looseObject({
  interfaces: list(interfaceSchema),
  ips: list(ipSchema),
  routes: list(routeSchema),
  dns: dnsSchema.nullish(),
});

/** The result of an earlier plugin of the chain, or of the ADD that a CHECK is about (CNI specification §5, "Success"). */
export type PreviousResult = z.infer<typeof previousSchema>;

/** The prevResult of a call; undefined when it has none. @throws CodedError CNI_REQUEST_INVALID naming what is wrong with it */
export function previousResult(config: CniRequest['config']): PreviousResult | undefined {
  return config.prevResult ? parsed(previousSchema, config.prevResult, 'config.prevResult') : undefined;
}

/**
 * What the answer to ADD begins with: what earlier plugins of the chain made, or nothing but the configured DNS.
 * @throws CodedError CNI_REQUEST_INVALID
 */
export function resultBefore(config: CniRequest['config']): PreviousResult {
  const previous = previousResult(config) ?? { interfaces: [], ips: [], routes: [] };
  return { ...previous, dns: previous.dns ?? configuredDns(config) ?? {} };
}

/** The answer to ADD, in the version that was asked for (CNI specification §5, "Success"). */
export function addResult(
  version: CniRequest['config']['cniVersion'],
  before: PreviousResult,
  row: EndpointRow,
  gateway: PodAddresses,
): object {
  const own = ownResult(version, row, gateway, before.interfaces.length);
  return {
    ...before,
    cniVersion: version,
    interfaces: [...before.interfaces, ...own.interfaces],
    ips: [...before.ips, ...own.ips],
    routes: [...before.routes, ...own.routes],
  };
}

/** `dns` of the configuration, which means the same to every plugin. @throws CodedError CNI_REQUEST_INVALID */
function configuredDns(config: CniRequest['config']): PreviousResult['dns'] {
  return config['dns'] === undefined || config['dns'] === null ? undefined : parsed(dnsSchema, config['dns'], 'config.dns');
}

/** @param earlier interfaces that stand before ours in the list */
function ownResult(version: CniRequest['config']['cniVersion'], row: EndpointRow, gateway: PodAddresses, earlier: number) {
  const mtu = version === '1.1.0' ? { mtu: row.mtu } : {};
  const families = [
    { version: '4', address: row.ipv4, length: 32, gateway: gateway.ipv4, any: '0.0.0.0/0' },
    { version: '6', address: row.ipv6, length: 128, gateway: gateway.ipv6, any: '::/0' },
  ].filter((family) => family.address !== '');
  return {
    interfaces: [
      { name: row.interfaceName, mac: row.hostMac, ...mtu },
      { name: row.podInterface, mac: row.mac, sandbox: row.netns, ...mtu },
    ],
    ips: families.map((family) => ({
      ...(version.startsWith('0.') ? { version: family.version } : {}),
      interface: earlier + 1,
      address: `${family.address}/${family.length}`,
      gateway: family.gateway,
    })),
    routes: families.map((family) => ({ dst: family.any, gw: family.gateway, ...mtu })),
  };
}

function parsed<T extends z.ZodType>(schema: T, value: unknown, part: string): z.infer<T> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const issue = error.issues[0];
  throw new CniRequestInvalid([part, ...(issue?.path ?? [])].join('.'), issue?.message ?? 'not valid', CNI_CODE.invalidConfig);
}

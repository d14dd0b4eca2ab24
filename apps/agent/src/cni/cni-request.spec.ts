import fc from 'fast-check';
import { CNI_VERSIONS, parseCniArgs, parseCniRequest, podOf, versionOf } from './cni-request.ts';

const config = { cniVersion: '1.1.0', name: 'isthmus', type: 'isthmus-cni' };
const add = {
  command: 'ADD',
  containerId: 'c1',
  netns: '/run/netns/p',
  ifname: 'eth0',
  args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=u1',
  path: '/opt/cni/bin',
  config,
};
const invalid = (object: string) => expect.objectContaining({ code: 'CNI_REQUEST_INVALID', object });

describe('parseCniRequest', () => {
  it('takes a whole request, unknown parts of the configuration too', () => {
    const request = parseCniRequest({ ...add, config: { ...config, mtu: 1400, prevResult: { anything: 1 } } });
    expect(request).toMatchObject({ command: 'ADD', containerId: 'c1', config: { mtu: 1400 } });
  });

  it.each([
    ['CNI_COMMAND', { ...add, command: 'EXEC' }],
    ['CNI_NETNS', { ...add, netns: 7 }],
    ['config', { ...add, config: [] }],
    ['config.cniVersion', { ...add, config: { ...config, cniVersion: '0.2.0' } }],
    ['config.name', { ...add, config: { ...config, name: '' } }],
    ['config.name', { ...add, config: { ...config, name: 'a/b' } }],
    ['config.prevResult', { ...add, command: 'CHECK' }],
    ['CNI_IFNAME', { ...add, ifname: 'eth%d' }],
    ['config.prevResult', { ...add, config: { ...config, prevResult: [] } }],
    ['CNI_CONTAINERID', { ...add, containerId: '' }],
    ['CNI_CONTAINERID', { ...add, containerId: '../../etc' }],
    ['CNI_CONTAINERID', { ...add, containerId: '-c' }],
    ['CNI_IFNAME', { ...add, ifname: 'sixteen-letters-' }],
    ['CNI_IFNAME', { ...add, ifname: '..' }],
    ['CNI_IFNAME', { ...add, ifname: 'a b' }],
    ['CNI_IFNAME', { ...add, ifname: '' }],
    ['CNI_NETNS', { ...add, netns: '' }],
    ['CNI_NETNS', { ...add, netns: 'relative' }],
    ['CNI_NETNS', { ...add, command: 'CHECK', netns: '' }],
  ])('refuses and names %s', (part, body) => {
    expect(() => parseCniRequest(body)).toThrow(invalid(part));
  });

  it('lets DEL come without a namespace, and GC and STATUS without a container', () => {
    expect(parseCniRequest({ ...add, command: 'DEL', netns: '' }).command).toBe('DEL');
    expect(parseCniRequest({ ...add, command: 'DEL', ifname: 'eth%d' }).command).toBe('DEL');
    const none = { ...add, containerId: '', netns: '', ifname: '', args: '' };
    expect(parseCniRequest({ ...none, command: 'STATUS' }).command).toBe('STATUS');
    expect(parseCniRequest({ ...none, command: 'GC', config: { ...config, 'cni.dev/valid-attachments': [] } }).command).toBe('GC');
  });

  it('never takes a missing list of attachments for an empty one', () => {
    expect(() => parseCniRequest({ ...add, command: 'GC' })).toThrow(invalid('cni.dev/valid-attachments'));
  });

  it('names key and value of what it does not support', () => {
    const ipam = { type: 'host-local', subnet: '10.0.0.0/8' };
    expect(() => parseCniRequest({ ...add, config: { ...config, ipam } })).toThrow(
      expect.objectContaining({ code: 'CNI_FIELD_UNSUPPORTED', message: expect.stringContaining(`ipam: ${JSON.stringify(ipam)}`) }),
    );
    expect(parseCniRequest({ ...add, config: { ...config, ipam: {}, ipMasq: true, runtimeConfig: { portMappings: [] } } }).command).toBe(
      'ADD',
    );
  });

  it('knows which version brought which command', () => {
    const at = (command: string, cniVersion: string) =>
      parseCniRequest({ ...add, command, config: { ...config, cniVersion, prevResult: {}, 'cni.dev/valid-attachments': [] } }).command;
    for (const version of CNI_VERSIONS) expect([at('ADD', version), at('DEL', version)]).toEqual(['ADD', 'DEL']);
    for (const [command, version] of [
      ['CHECK', '0.3.1'],
      ['GC', '1.0.0'],
      ['STATUS', '1.0.0'],
    ] as const)
      expect(() => at(command, version)).toThrow(invalid('config.cniVersion'));
  });

  it('throws nothing but its own error, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.record({ ...json(add), config: fc.oneof(fc.jsonValue(), fc.record(json(config))) })),
        (body) => {
          try {
            podOf(parseCniRequest(body));
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^CNI_(REQUEST_INVALID|FIELD_UNSUPPORTED)$/) });
          }
          expect(CNI_VERSIONS).toContain(versionOf(body));
        },
      ),
    );
  });
});

/** Arbitraries that hit the right value or anything else. */
function json(object: Record<string, unknown>): Record<string, fc.Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, fc.oneof(fc.constant(value), fc.jsonValue())]));
}

describe('podOf', () => {
  const of = (args: string) => podOf(parseCniRequest({ ...add, args }));

  it('reads the pod out of CNI_ARGS', () => {
    expect(of(add.args)).toEqual({ namespace: 'shop', pod: 'web-0', podUid: 'u1' });
    expect(of('K8S_POD_NAMESPACE=a;K8S_POD_NAME=b')).toEqual({ namespace: 'a', pod: 'b', podUid: '' });
  });

  it.each([
    '',
    'K8S_POD_NAME=b',
    'K8S_POD_NAMESPACE=;K8S_POD_NAME=b',
    'K8S_POD_NAMESPACE=a/b;K8S_POD_NAME=c',
    'K8S_POD_NAMESPACE=a;K8S_POD_NAME=../secrets',
    'K8S_POD_NAMESPACE=A;K8S_POD_NAME=b',
    `K8S_POD_NAMESPACE=${'a'.repeat(64)};K8S_POD_NAME=b`,
    `K8S_POD_NAMESPACE=a;K8S_POD_NAME=${'b'.repeat(254)}`,
  ])('refuses %s', (args) => {
    expect(() => of(args)).toThrow(invalid('CNI_ARGS'));
  });

  it('splits at the first equals sign', () => {
    expect([...parseCniArgs('a=b=c;;=d;e')]).toEqual([['a', 'b=c']]);
  });
});

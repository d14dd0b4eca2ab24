import { looksLikeEtcdConfig, parseEtcdConfig } from './etcd-config.ts';

const FULL = `
endpoints:
- https://west.mesh.cilium.io:32379
trusted-ca-file: /c/common-etcd-client-ca.crt
key-file: /c/common-etcd-client.key
cert-file: /c/common-etcd-client.crt
cilium-host-aliases:
- hostname: west.mesh.cilium.io
  ips: ["172.18.0.5"]
some-later-field: 1
`;

describe('parseEtcdConfig', () => {
  it('reads what Cilium writes', () => {
    expect(parseEtcdConfig(FULL, 'west')).toEqual({
      endpoints: ['https://west.mesh.cilium.io:32379'],
      trustedCaFile: '/c/common-etcd-client-ca.crt',
      keyFile: '/c/common-etcd-client.key',
      certFile: '/c/common-etcd-client.crt',
      hostAliases: [{ hostname: 'west.mesh.cilium.io', ips: ['172.18.0.5'] }],
    });
    expect(parseEtcdConfig('endpoints: ["http://127.0.0.1:2379"]', 'west')).toEqual({ endpoints: ['http://127.0.0.1:2379'] });
  });

  it.each([
    ['endpoints: []', 'endpoints'],
    ['trusted-ca-file: x', 'endpoints'],
    ['endpoints: [ftp://x]', 'ftp://x'],
    ['endpoints: ["https://x:1"]\ncert-file: a', 'key-file'],
    ['endpoints: ["https://x:1"]\ncilium-host-aliases: [{hostname: "", ips: [1.1.1.1]}]', 'cilium-host-aliases.0.hostname'],
    ['endpoints: ["https://x:1"]\ncilium-host-aliases: [{hostname: x, ips: []}]', 'cilium-host-aliases.0.ips'],
    ['endpoints: ["https://x:1"]\ncilium-host-aliases: [{hostname: x, ips: [a]}, {hostname: x, ips: [b]}]', 'x is there twice'],
    ['"', 'west'],
    ['5', 'west'],
  ])('refuses %j and says why', (text, word) => {
    expect(() => parseEtcdConfig(text, 'west')).toThrow(expect.objectContaining({ code: 'KV_CONFIG', object: 'west' }));
    expect(() => parseEtcdConfig(text, 'west')).toThrow(word);
  });

  it('knows one when it sees one', () => {
    expect(looksLikeEtcdConfig(FULL)).toBe(true);
    expect(looksLikeEtcdConfig('-----BEGIN CERTIFICATE-----')).toBe(false);
  });
});

import { nearestKey, parseConfig } from './parse-config.ts';
import { tunnelPort } from './tunnel.ts';

describe('parseConfig', () => {
  it('has a default for every key', () => {
    const { config, warnings } = parseConfig({});
    expect(config['cluster-id']).toBe(0);
    expect(config['enable-ipv6']).toBe(true);
    expect(config.devices).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('has a tunnel port for every protocol, unless one is given', () => {
    expect(tunnelPort(parseConfig({}).config)).toBe(8472);
    expect(tunnelPort(parseConfig({ 'tunnel-protocol': 'geneve' }).config)).toBe(6081);
    expect(tunnelPort(parseConfig({ 'tunnel-protocol': 'geneve', 'tunnel-port': '7000' }).config)).toBe(7000);
    expect(() => parseConfig({ 'tunnel-protocol': 'gre' })).toThrow('tunnel-protocol = "gre"');
  });

  it('parses text', () => {
    const { config } = parseConfig({ 'cluster-id': '7', 'enable-ipv6': 'false', 'cluster-pool-ipv4-cidr': '10.1.0.0/16 10.2.0.0/16' });
    expect(config['cluster-id']).toBe(7);
    expect(config['enable-ipv6']).toBe(false);
    expect(config['cluster-pool-ipv4-cidr']).toEqual(['10.1.0.0/16', '10.2.0.0/16']);
  });

  it('names key and value of what cannot be', () => {
    expect(() => parseConfig({ 'cluster-id': '512' })).toThrow('cluster-id = "512"');
    expect(() => parseConfig({ 'node-ipv4': 'banana' })).toThrow('node-ipv4 = "banana"');
  });

  it('warns of unknown keys with the nearest known one', () => {
    expect(parseConfig({ 'cluster-nam': 'x' }).warnings).toEqual(['unknown setting cluster-nam; did you mean cluster-name?']);
    expect(nearestKey('tunel-port')).toBe('tunnel-port');
  });
});

import { parseWgDump } from './wg-dump.ts';

const KEY = (letter: string): string => `${letter.repeat(42)}A=`;

it('reads a device and its peers, and leaves no secret in what it read', () => {
  const text = [
    [KEY('S'), KEY('P'), '51871', '0x1e00'],
    [KEY('a'), KEY('T'), '192.0.2.1:51871', '10.1.0.0/24,fd00::/120', '1767225600', '100', '200', '25'],
    [KEY('b'), '(none)', '(none)', '(none)', '0', '0', '0', 'off'],
  ];
  const output = Buffer.from(`${text.map((line) => line.join('\t')).join('\n')}\n`);
  const nothing = {
    hasPresharedKey: false,
    endpoint: undefined,
    allowedIps: [],
    latestHandshake: 0,
    received: 0,
    sent: 0,
    keepaliveSeconds: 0,
  };
  const some = {
    hasPresharedKey: true,
    endpoint: '192.0.2.1:51871',
    allowedIps: ['10.1.0.0/24', 'fd00::/120'],
    latestHandshake: 1_767_225_600,
    received: 100,
    sent: 200,
    keepaliveSeconds: 25,
  };
  expect(parseWgDump(output)).toEqual({
    publicKey: KEY('P'),
    listenPort: 51_871,
    mark: 0x1e00,
    peers: [
      { publicKey: KEY('a'), ...some },
      { publicKey: KEY('b'), ...nothing },
    ],
  });
  expect(output.toString()).not.toMatch(/SSSS|TTTT/);
});

it('reads a device that nothing was said of', () => {
  expect(parseWgDump(Buffer.from('(none)\t(none)\t0\toff\n'))).toEqual({ publicKey: undefined, listenPort: 0, mark: 0, peers: [] });
});

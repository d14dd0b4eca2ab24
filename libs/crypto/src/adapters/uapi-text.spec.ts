import { secretFromBase64 } from '../wireguard/secret-base64.ts';
import { WireGuardKey } from '../wireguard/wireguard-key.ts';
import { systemRandomBytes } from './random-bytes.ts';
import { parseUapiAnswer } from './uapi-text.ts';

const hex = (byte: string): string => byte.repeat(32);
const base64 = (byte: string): string => Buffer.from(hex(byte), 'hex').toString('base64');
const DEVICE = { publicKey: undefined, listenPort: 0, mark: 0, peers: [] };
const own = WireGuardKey.generate(systemRandomBytes);
const SECRET = secretFromBase64(own.text())!.toString('hex');

it('reads a device and its peers, and leaves no secret in what it read', () => {
  const answer = Buffer.from(`private_key=${SECRET}
listen_port=51871
fwmark=7680
public_key=${hex('0a')}
preshared_key=${hex('7f')}
protocol_version=1
endpoint=[2001:db8::1]:51871
last_handshake_time_sec=1767225600
last_handshake_time_nsec=5
tx_bytes=200
rx_bytes=100
persistent_keepalive_interval=25
allowed_ip=10.1.0.0/24
allowed_ip=fd00::/120
public_key=${hex('0b')}
preshared_key=${hex('00')}
errno=0

`);
  const nothing = { endpoint: undefined, allowedIps: [], latestHandshake: 0, received: 0, sent: 0, keepaliveSeconds: 0 };
  const some = { endpoint: '[2001:db8::1]:51871', latestHandshake: 1_767_225_600, received: 100, sent: 200, keepaliveSeconds: 25 };
  expect(parseUapiAnswer(answer)).toEqual({
    errno: 0,
    state: {
      publicKey: own.publicKey,
      listenPort: 51_871,
      mark: 0x1e00,
      peers: [
        { publicKey: base64('0a'), hasPresharedKey: true, ...some, allowedIps: ['10.1.0.0/24', 'fd00::/120'] },
        { publicKey: base64('0b'), hasPresharedKey: false, ...nothing },
      ],
    },
  });
  expect(answer.toString()).not.toContain(SECRET);
  expect(answer.toString()).not.toContain(hex('7f'));
});

it('reads a device that nothing was said of, and one whose key was taken away', () => {
  expect(parseUapiAnswer(Buffer.from('errno=0\n\n'))).toEqual({ errno: 0, state: DEVICE });
  expect(parseUapiAnswer(Buffer.from(`private_key=${hex('00')}\nerrno=0\n\n`))).toEqual({ errno: 0, state: DEVICE });
});

it('reads what a daemon refuses', () => {
  expect(parseUapiAnswer(Buffer.from('errno=-22\n\n'))?.errno).toBe(-22);
});

it.each(['', 'private_key=', 'errno', `preshared_key=${hex('7f')}\n`])('takes %j for no answer', (text) => {
  expect(parseUapiAnswer(Buffer.from(text))).toBeUndefined();
});

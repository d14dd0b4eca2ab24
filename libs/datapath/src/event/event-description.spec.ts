import fc from 'fast-check';
import { addrKeyOf } from '../addr-key.ts';
import { type DatapathEvent, Direction, DropReason, EventFlag, EventType, encodeEventSocket } from '../generated/layouts.ts';
import { describeEvent } from './event-description.ts';

const V4 = '4500003c00010000400600000a0100050a0200061f900050';
const V6 = `6000000000140640${'fd00'.padEnd(28, '0')}0005${'fd00'.padEnd(28, '0')}0006004301bb`;
const ETHERNET_V4 = `0e00000000010a00000000010800${V4}`;

function event(captureHex: string, changes: Partial<DatapathEvent> = {}): DatapathEvent {
  const bytes = Buffer.from(captureHex, 'hex');
  const capture = new Uint8Array(128);
  capture.set(bytes.subarray(0, 128));
  return {
    version: 1,
    type: EventType.drop,
    subtype: DropReason.endpointNotReady,
    endpoint: 7,
    direction: Direction.ingress,
    flags: 0,
    timeNs: 1_500_000_000n,
    sourceIdentity: 65_800,
    destinationIdentity: 131_100,
    ifindex: 3,
    originalLength: 74,
    capturedLength: bytes.length,
    argument: 0,
    cookie: 0n,
    capture,
    ...changes,
  };
}

describe('describeEvent', () => {
  it('reads a frame', () => {
    expect(describeEvent(event(ETHERNET_V4))).toEqual({
      type: 'drop',
      reason: 'EndpointNotReady',
      subtype: 203,
      direction: 'ingress',
      endpoint: 7,
      sourceIdentity: 65_800,
      destinationIdentity: 131_100,
      source: '10.1.0.5',
      destination: '10.2.0.6',
      protocol: 'TCP',
      sourcePort: 8080,
      destinationPort: 80,
      bytes: 74,
      ifindex: 3,
      timeMs: 1500,
    });
  });

  it('reads a packet without a link header, of either family', () => {
    expect(describeEvent(event(V4, { flags: EventFlag.ip }))).toMatchObject({ source: '10.1.0.5', destinationPort: 80 });
    expect(describeEvent(event(V6, { flags: EventFlag.ip }))).toMatchObject({
      source: 'fd00::5',
      destination: 'fd00::6',
      protocol: 'TCP',
      sourcePort: 67,
      destinationPort: 443,
    });
  });

  it('finds ports behind IP options, and none in later fragments or in ICMP', () => {
    const options = `46${V4.slice(2, 40)}00000000${V4.slice(40)}`;
    expect(describeEvent(event(options, { flags: EventFlag.ip }))).toMatchObject({ sourcePort: 8080, destinationPort: 80 });
    const fragment = `${V4.slice(0, 12)}0010${V4.slice(16)}`;
    expect(describeEvent(event(fragment, { flags: EventFlag.ip }))).toMatchObject({ source: '10.1.0.5', sourcePort: 0, protocol: 'TCP' });
    const icmp = `${V4.slice(0, 18)}01${V4.slice(20)}`;
    expect(describeEvent(event(icmp, { flags: EventFlag.ip }))).toMatchObject({ protocol: 'ICMP', sourcePort: 0 });
  });

  it('names the service that a socket asked for', () => {
    const none = addrKeyOf(new Uint8Array(4));
    const service = addrKeyOf(Uint8Array.of(10, 96, 0, 9));
    const capture = Buffer.from(encodeEventSocket({ service, backend: none, servicePort: 443, backendPort: 0, protocol: 17 })).toString(
      'hex',
    );
    const changes = { flags: EventFlag.socket, subtype: DropReason.noBackend, direction: Direction.service, originalLength: 0 };
    expect(describeEvent(event(capture, changes))).toMatchObject({
      type: 'drop',
      reason: 'NoBackend',
      direction: 'service',
      source: '',
      destination: '10.96.0.9',
      destinationPort: 443,
      protocol: 'UDP',
    });
    expect(describeEvent(event(capture.slice(0, 90), changes)).destination).toBe('');
  });

  it('leaves empty what a capture cut short does not hold', () => {
    const whole = ETHERNET_V4.length / 2;
    for (let length = 0; length <= whole; length++) {
      const { source, destination, sourcePort } = describeEvent(event(ETHERNET_V4.slice(0, 2 * length)));
      expect(source !== '' && destination !== '').toBe(length >= 34);
      expect(sourcePort).toBe(length >= whole ? 8080 : 0);
    }
  });

  it('never throws, whatever the kernel says', () => {
    const u8 = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        u8,
        u8,
        u8,
        u8,
        fc.nat(300),
        fc.uint8Array({ maxLength: 128 }),
        (type, subtype, direction, flags, capturedLength, bytes) => {
          const text = Buffer.from(bytes).toString('hex');
          expect(describeEvent(event(text, { type, subtype, direction, flags, capturedLength })).timeMs).toBe(1500);
        },
      ),
    );
  });

  it('names what it knows, and numbers what it does not', () => {
    expect(describeEvent(event('', { type: 200, direction: 200 }))).toMatchObject({ type: 'unknown', direction: '', reason: '' });
  });
});

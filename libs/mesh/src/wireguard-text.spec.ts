import { type WireGuardEpoch, type WireGuardRow } from '@isthmus/model';
import fc from 'fast-check';
import { decodeWireGuard, encodeWireGuard } from './wireguard.codec.ts';
import { readWireGuardText } from './wireguard-text.ts';

const CONTEXT = { cluster: 'east', clusterId: 7, name: 'worker-1' };
const bytes32 = (min: number) => fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => base64([min, ...bytes.slice(1)]));
const epoch = (parity: number): fc.Arbitrary<WireGuardEpoch> =>
  fc.tuple(fc.nat(3), bytes32(parity), fc.option(bytes32(0), { nil: undefined })).map(([half, publicKey, hash]) => ({
    epoch: 2 * half + 2 - parity,
    publicKey,
    port: 51_871 + parity,
    ...(hash === undefined ? {} : { kemKeyHash: hash }),
  }));
const two = fc.tuple(epoch(0), epoch(1)).map((both) => both.sort((a, b) => a.epoch - b.epoch));
const epochs = fc.oneof(
  fc.constant([]),
  epoch(0).map((one) => [one]),
  epoch(1).map((one) => [one]),
  two,
);
const wanted = fc.record({ epoch: fc.integer({ min: 1, max: 0xffff_ffff }), cluster: fc.constantFrom('west', 'n-0') });
const row: fc.Arbitrary<WireGuardRow> = fc
  .record({ epochs, minTx: fc.nat(0xffff_ffff), wanted: fc.option(wanted, { nil: undefined }) })
  .map(({ wanted: wants, ...rest }) => ({ ...CONTEXT, ...rest, laggards: [], ...(wants && { wanted: wants }) }));
const known = fc.option(row, { nil: undefined });

function base64(bytes: Iterable<number>): string {
  return Buffer.from([...bytes]).toString('base64');
}

const decode = (text: string, before?: WireGuardRow) => decodeWireGuard(Buffer.from(text, 'latin1'), CONTEXT, before);
/** By the long way: the short one does not take a space. */
const decodeAsJson = (text: string) => decode(`${text} `);

describe('a record of WireGuard keys, as it is written', () => {
  it('is read by the short way, whatever is known of the node', () => {
    fc.assert(fc.property(row, known, (said, before) => expect(readWireGuardText(encodeWireGuard(said), CONTEXT, before)).toEqual(said)));
  });

  it('says what it says as JSON, or is not taken by the short way, when anything of it is changed', () => {
    const part = fc.constantFrom(
      '',
      '0',
      '9',
      '-',
      '.',
      'e1',
      '"',
      ',',
      ':',
      '{',
      '}',
      '[',
      ']',
      'A',
      '=',
      ' ',
      '\\',
      '\\u0041',
      '\xc3\xa9',
      '\n',
      'null',
    );
    const digit = fc.record({ at: fc.nat(600), length: fc.constant(1), part: fc.constantFrom('0', '1', '7', 'A', 'w', '/') });
    const change = fc.oneof(digit, fc.record({ at: fc.nat(600), length: fc.nat(3), part }));
    let short = 0;
    fc.assert(
      fc.property(row, known, fc.array(change, { minLength: 1, maxLength: 3 }), (said, before, changes) => {
        let text = encodeWireGuard(said);
        for (const { at, length, part: other } of changes) {
          const from = at % (text.length + 1);
          text = text.slice(0, from) + other + text.slice(from + length);
        }
        const long = decodeAsJson(text);
        expect(decode(text, before)).toEqual(long);
        const taken = readWireGuardText(text, CONTEXT, before);
        if (taken !== undefined) short++;
        if (taken !== undefined) expect(long).toEqual({ ok: true, value: taken });
      }),
      { numRuns: 3_000 },
    );
    expect(short).toBeGreaterThan(30);
  });

  const one = (change: object): string => JSON.stringify({ epoch: 4, publicKey: base64(Array(32).fill(3)), port: 51_871, ...change });
  const record = (...all: string[]): string =>
    `{"cluster":"east","name":"worker-1","clusterID":7,"epochs":[${all}],"minTx":4,"laggards":[]}`;
  const old = (publicKey: string, number = 3): string => one({ epoch: number, publicKey, port: number % 2 === 0 ? 51_871 : 51_872 });

  it.each<[string, string]>([
    ['a key of zeros', record(one({ publicKey: base64(Array(32).fill(0)) }))],
    ['a key whose spare bits are set', record(one({ publicKey: `${'A'.repeat(42)}B=` }))],
    ['a hash whose spare bits are set', record(one({ kemKeyHash: `${'A'.repeat(42)}B=` }))],
    ['the port of the other device', record(one({ port: 51_872 }))],
    ['epoch 0', record(one({ epoch: 0, port: 51_871 }))],
    ['an epoch beyond 32 bits', record(one({ epoch: 0x1_0000_0000 }))],
    ['an epoch with a zero before it', record(one({})).replace(':4,', ':04,')],
    ['a key twice', record(old(base64(Array(32).fill(3))), one({}))],
    ['epochs out of order', record(one({}), old(base64(Array(32).fill(5))))],
    ['epochs of one device', record(old(base64(Array(32).fill(5)), 2), one({}))],
    ['three epochs', record(old(base64(Array(32).fill(5)), 1), old(base64(Array(32).fill(6)), 2), old(base64(Array(32).fill(7))))],
    ['another cluster', record().replace('east', 'west')],
    ['another number of a cluster', record().replace(':7,', ':8,')],
    ['another name', record().replace('worker-1', 'worker-2')],
    ['a wish for epoch 0', record().replace('}', ',"wanted":{"epoch":0,"cluster":"west"}}')],
    ['a wish of a cluster that has no such name', record().replace('}', ',"wanted":{"epoch":1,"cluster":"We"}}')],
    ['something behind it', `${record(one({}))}}`],
    ['half of it', record(one({})).slice(0, -1)],
  ])('is dropped for the same reason with %s', (_, text) => {
    expect(readWireGuardText(text, CONTEXT, undefined)).toBeUndefined();
    expect(decode(text)).toEqual(decodeAsJson(text));
    expect(decode(text).ok).toBe(false);
  });

  it.each(['w\u00e9', 'a"b', 'a\\b', 'a\nb'])('goes the long way for a name that JSON writes otherwise: %j', (name) => {
    const said: WireGuardRow = { ...CONTEXT, name, epochs: [], minTx: 0, laggards: [] };
    const text = encodeWireGuard(said);
    expect(readWireGuardText(text, { ...CONTEXT, name }, undefined)).toBeUndefined();
    expect(decodeWireGuard(Buffer.from(text), { ...CONTEXT, name })).toEqual({ ok: true, value: said });
    // Bytes that say another name, which looks alike when each is taken for a character.
    const other = Buffer.from(name).toString('latin1');
    if (other !== name)
      expect(decodeWireGuard(Buffer.from(text), { ...CONTEXT, name: other })).toEqual({ ok: false, reason: 'key-mismatch' });
  });

  it('takes what has not changed from what was known', () => {
    const before: WireGuardRow = { ...CONTEXT, epochs: [JSON.parse(one({})) as WireGuardEpoch], minTx: 0, laggards: [] };
    const decoded = decode(record(one({}), old(base64(Array(32).fill(5)), 5)), before);
    expect(decoded.ok && decoded.value.epochs[0]).toBe(before.epochs[0]);
    expect(decoded.ok && decoded.value.epochs.length).toBe(2);
  });
});

import { BpfObject, DropReason, decodeDatapathEvent, RingBuffer, testRun } from '@isthmus/datapath';
import { configBytes, objectPath } from './datapath.ts';
import { frame } from './packet.ts';

const dropped = frame(0x88cc);
let object: BpfObject;
let ring: RingBuffer;

beforeEach(() => {
  object = BpfObject.load({ path: objectPath('pod'), config: configBytes(), maxEntries: { isth_events: 8192 } });
  ring = new RingBuffer(object.map('isth_events'));
});

afterEach(() => {
  ring.close();
  object.close();
});

function drop(times: number): void {
  for (let i = 0; i < times; i++) testRun(object.program('from_pod'), dropped, { ifindex: 1 });
}

describe('RingBuffer', () => {
  it('reads on across the end of the ring', () => {
    let read = 0;
    for (let round = 0; round < 20; round++) {
      drop(20);
      read += ring.drain((record) => expect(decodeDatapathEvent(record).subtype).toBe(DropReason.unknownL3));
    }
    expect(read).toBe(400);
  });

  it('takes no more than it is told, and leaves the rest', () => {
    drop(5);
    expect([ring.drain(() => {}, 2), ring.drain(() => {}, 2), ring.drain(() => {})]).toEqual([2, 2, 1]);
  });

  it('loses what does not fit, and reads on afterwards', () => {
    drop(100);
    const room = ring.drain(() => {});
    expect(room).toBeGreaterThan(30);
    expect(room).toBeLessThan(100);
    drop(1);
    expect(ring.drain(() => {})).toBe(1);
  });

  it('wakes its reader, and survives a failing one', async () => {
    const errors: unknown[] = [];
    const three = new Promise<void>((resolve) => {
      let seen = 0;
      ring.start(
        () => {
          seen++;
          if (seen === 3) resolve();
          if (seen === 1) throw new Error('first');
        },
        (error) => errors.push(error),
      );
    });
    drop(1);
    setImmediate(() => drop(2));
    await three;
    expect(errors).toEqual([new Error('first')]);
  });

  it('hands what was not taken to the next reader', () => {
    drop(3);
    ring.drain(() => {}, 1);
    ring.close();
    ring = new RingBuffer(object.map('isth_events'));
    expect(ring.drain(() => {})).toBe(2);
  });
});

import { BgpSpeaker, type BgpSpeakerOptions, parseUpdate } from '@isthmus/bgp';
import { systemClock, systemRandom } from '@isthmus/core';
import { OUR_AS, type TestLink } from './link.ts';
import type { SimpleTable } from './simple-table.ts';

/** This end of a link: the library's speaker and codec, and a test's table. */
export function ourSpeaker({ transport }: TestLink, table: SimpleTable, more: Partial<BgpSpeakerOptions<unknown>> = {}): BgpSpeaker {
  return new BgpSpeaker({
    asn: OUR_AS,
    routerId: '10.99.0.1',
    clock: systemClock,
    random: systemRandom,
    transport,
    table,
    parseUpdate,
    ...more,
  });
}

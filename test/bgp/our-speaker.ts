import { BgpSpeaker, type BgpSpeakerOptions, parseUpdate, type SpeakerTable } from '@isthmus/bgp';
import { systemClock, systemRandom } from '@isthmus/core';
import { OUR_AS, type TestLink } from './link.ts';

/** This end of a link: the library's speaker and codec, and a table. */
export function ourSpeaker<Policy>(
  { transport }: TestLink,
  table: SpeakerTable<Policy>,
  more: Partial<BgpSpeakerOptions<Policy>> = {},
): BgpSpeaker<Policy> {
  return new BgpSpeaker<Policy>({
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

import { forbiddenFrames, isForbidden, kindsText } from '../sniff/frame-kind.ts';
import { alwaysSniffs, numberedCables, snifferFolder } from '../sniff/sniffer-links.ts';
import { addCounts, DIRECTIONS, SnifferMaps } from '../sniff/sniffer-maps.ts';
import { type Check, expectThat } from './check.ts';

/** From before the first agent on, whatever was done to the lab, no frame was on any cable that must not be; but while a check turned encryption off. */
export const snifferCheck: Check = {
  name: 'nothing-plain-since-the-lab-is-up',
  disruptive: false,
  applies: ({ plan }) => alwaysSniffs(plan),
  async run({ plan }) {
    const maps = SnifferMaps.pinned(snifferFolder(plan));
    expectThat(maps.phase() === 'encrypted', 'a check that turned encryption off did not come to its end');
    const cables = numberedCables(plan).map(({ name, number }) => {
      return { name, ...addCounts(DIRECTIONS.map((direction) => maps.counts(number, direction, 'encrypted'))) };
    });
    const silent = cables.filter(({ frames }) => frames === 0);
    expectThat(silent.length === 0, `the sniffers saw nothing of ${silent.map(({ name }) => name).join(', ')}`);
    const bad = cables.filter(({ kinds }) => forbiddenFrames(kinds) > 0);
    expectThat(
      bad.length === 0,
      `must not be there: ${bad.map(({ name, kinds }) => `${name}: ${kindsText(kinds, isForbidden)}`).join('; ')}`,
    );
    const { frames, kinds, lost } = addCounts(cables);
    expectThat(lost === 0, `the sniffers lost ${lost} events`);
    return `${frames} frames on ${cables.length} cables, in both directions: ${kindsText(kinds)}; 0 events lost`;
  },
};

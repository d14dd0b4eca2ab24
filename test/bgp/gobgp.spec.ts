import type { BgpSpeaker } from '@isthmus/bgp';
import { until } from './daemon-process.ts';
import { GoBgp } from './gobgp.ts';
import { createLink, OUR_AS, OURS, type TestLink, THEIRS } from './link.ts';
import { ourSpeaker } from './our-speaker.ts';
import { SimpleTable } from './simple-table.ts';

/** Against hanging only. */
const TIMEOUT_MS = 60_000;

const OUR_ROUTES = ['192.0.2.0/24', '2001:db8:1::/48'];
const THEIR_ROUTES = ['203.0.113.0/24', '2001:db8:2::/48'];

/** With TCP-MD5 and GTSM. */
describe('GoBGP', () => {
  let link: TestLink;
  let daemon: GoBgp;
  let table: SimpleTable;
  let speaker: BgpSpeaker | undefined;

  beforeAll(() => {
    link = createLink('gobgp');
  });
  afterAll(() => link.remove());
  beforeEach(() => {
    daemon = new GoBgp(link.theirs);
    table = new SimpleTable(OUR_AS);
    for (const prefix of OUR_ROUTES)
      table.originate({ prefix, nextHop: OURS[prefix.includes(':') ? 'ipv6' : 'ipv4'], communities: [[65001, 5]] });
  });
  afterEach(async () => {
    await speaker?.stop();
    await daemon.stop();
  });

  it.each(['opens', 'takes'])(
    'exchanges routes of both families over a session that this side %s',
    async (how) => {
      daemon.start();
      for (const prefix of THEIR_ROUTES) await announced(daemon, prefix);
      const passive = how === 'takes';
      speaker = ourSpeaker(link, table, { listen: passive ? [{ address: '0.0.0.0', port: 179 }] : [] });
      speaker.addPeer({ address: THEIRS.ipv4, asn: daemon.asn, connectRetryMs: 500, password: 'right', gtsmHops: 1, passive });
      await speaker.start();
      await until(
        `the session (${daemon.log})`,
        () => JSON.stringify(speaker?.status()),
        (text) => text.includes('"established"'),
      );
      for (const prefix of THEIR_ROUTES)
        await until(
          `a route to ${prefix}`,
          () => table.learned.has(prefix),
          (there) => there,
        );
      for (const prefix of OUR_ROUTES)
        await until(
          `their route to ${prefix}`,
          () => daemon.route(prefix),
          (text) => text.includes('65001:5'),
        );
      for (const prefix of THEIR_ROUTES) await daemon.withdraw(prefix);
      await until(
        'their withdrawal',
        () => table.learned.size,
        (size) => size === 0,
      );
      for (const prefix of OUR_ROUTES) {
        table.withdraw(prefix);
        await until(
          `the end of their route to ${prefix}`,
          () => daemon.route(prefix),
          (text) => text !== '' && !text.includes('65001:5'),
        );
      }
    },
    TIMEOUT_MS,
  );
});

async function announced(daemon: GoBgp, prefix: string): Promise<void> {
  await until(
    'GoBGP taking a route',
    () => daemon.announce(prefix),
    (took) => took,
  );
}

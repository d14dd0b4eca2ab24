import { BgpSpeaker, type PeerRouting, parseUpdate, Rib, tcpTransport } from '@isthmus/bgp';
import { systemClock, systemRandom } from '@isthmus/core';
import { EXPORT_POLICY, IMPORT_POLICY } from './our-policies.ts';
import { HOLD_TIME, INJECTOR, RECEIVER, SPEAKER } from './who.ts';

/** What the speaker says of itself at its end. */
export interface SpeakerReport {
  /** Thread CPU milliseconds between two times that the event loop came round, from the first session on; collections included. */
  readonly longestTurnMs: number;
}

/** Measures every turn of the event loop. Its immediates do not keep the loop from waiting: they run when it comes round anyway. */
class Turns {
  longestMs = 0;
  #began = 0;
  readonly #next = (): void => {
    const now = cpuMs();
    this.longestMs = Math.max(this.longestMs, now - this.#began);
    this.#began = now;
    setImmediate(this.#next).unref();
  };

  begin(): void {
    this.#began = cpuMs();
    setImmediate(this.#next).unref();
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The speaker under test: policies in both directions, one that tells and one that is told. It is stopped by SIGTERM. */
async function main(): Promise<void> {
  const turns = new Turns();
  const rib = new Rib({ asn: SPEAKER.asn, routerId: SPEAKER.address, clock: systemClock, later: setImmediate });
  let measuring = false;
  const speaker = new BgpSpeaker<PeerRouting>({
    asn: SPEAKER.asn,
    routerId: SPEAKER.address,
    clock: systemClock,
    random: systemRandom,
    transport: tcpTransport,
    table: rib,
    parseUpdate,
    listen: [{ address: SPEAKER.address, port: 179 }],
    onState: ({ state }) => {
      if (measuring || state !== 'established') return;
      measuring = true;
      turns.begin();
    },
  });
  const common = { passive: true, holdTime: HOLD_TIME, families: ['ipv4'] } as const;
  speaker.addPeer({ ...INJECTOR, ...common, importPolicy: IMPORT_POLICY, exportPolicy: { rules: [], otherwise: 'reject' } });
  speaker.addPeer({ ...RECEIVER, ...common, exportPolicy: EXPORT_POLICY });
  process.once('SIGTERM', () => {
    process.stdout.write(`${JSON.stringify({ longestTurnMs: turns.longestMs } satisfies SpeakerReport)}\n`, () => process.exit(0));
  });
  await speaker.start();
}

await main();

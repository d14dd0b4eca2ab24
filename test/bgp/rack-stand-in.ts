import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Lab, linkSession, linksOf, type NodePlace, RACK_FAMILIES, type RackSession, routingProgram } from '@isthmus/lab';

/** What a stand-in announces: lines of BIRD's `protocol static`, each with its attributes. */
export interface StandInRoutes {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** A BIRD in a node's place, in the agent's stead: it shows that ToRs are right before the agent speaks with them. */
export class StandIn {
  readonly #lab: Lab;
  readonly #node: NodePlace;
  readonly #folder: string;

  constructor(lab: Lab, node: NodePlace) {
    this.#lab = lab;
    this.#node = node;
    this.#folder = join(node.run, 'bird');
  }

  /** Starts it, or tells it what it announces from now on. @param password of the protected session, when it is not the right one */
  async announce(routes: StandInRoutes, password?: string): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(this.#folder, 'bird.conf'), configuration(this.#lab, this.#node, routes, password));
    const id = `${this.#node.id}/bird`;
    if (this.#lab.processes.list().some((one) => one.id === id && one.alive)) await this.#birdc('configure');
    else
      this.#lab.processes.start({ id, place: this.#node, argv: routingProgram('usr/sbin/bird', ['-f', ...this.#files('-c', '-s', '-P')]) });
  }

  /** What it learned of a prefix, in BIRD's words. */
  route(prefix: string): Promise<string> {
    return this.#birdc('show', 'route', prefix, 'all');
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#lab.processes.stop(`${this.#node.id}/bird`, signal);
  }

  async #birdc(...words: string[]): Promise<string> {
    const argv = routingProgram('usr/sbin/birdc', [...this.#files('-s'), ...words]);
    return (await this.#lab.exec(this.#node, argv)).stdout;
  }

  /** Its files, as it sees them. */
  #files(...flags: ('-c' | '-s' | '-P')[]): string[] {
    const names = { '-c': 'bird.conf', '-s': 'control', '-P': 'pid' };
    return flags.flatMap((flag) => [flag, `/run/bird/${names[flag]}`]);
  }
}

function configuration(lab: Lab, node: NodePlace, routes: StandInRoutes, password: string | undefined): string {
  const sessions = linksOf(lab.plan, node).flatMap((link) =>
    RACK_FAMILIES.map((family) => ({ ...linkSession(link, family), asn: link.asn, torAsn: torAsn(lab, node), nodeDevice: link.device })),
  );
  return `
log stderr all;
router id ${node.addresses.ipv4};
protocol device { scan time 1; }
protocol bfd { interface "up*" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; }; }
protocol static static4 { ipv4; ${routes.ipv4.join('\n')} }
protocol static static6 { ipv6; ${routes.ipv6.join('\n')} }
${sessions.map((session) => bgp(session, password)).join('\n')}`;
}

type NodeSession = RackSession & { asn: number; torAsn: number; nodeDevice: string };

function bgp({ name, family, own, peer, asn, torAsn, nodeDevice, ...session }: NodeSession, password: string | undefined): string {
  const secret = session.password === undefined ? '' : `password "${password ?? session.password}";`;
  return `protocol bgp ${name} {
  local ${peer} as ${asn}; neighbor ${own} as ${torAsn}; interface "${nodeDevice}"; direct; bfd yes; ${secret}
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ${family} { import all; export where source = RTS_STATIC; add paths off; };
}`;
}

function torAsn(lab: Lab, node: NodePlace): number {
  return lab.cluster(node.cluster).rack?.asn ?? 0;
}

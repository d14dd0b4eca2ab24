import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryCommand } from '../machine/run-command.ts';
import { enterPlace } from '../process/enter-place.ts';
import type { Supervisor } from '../process/supervisor.ts';
import type { FabricPlan, RackPlan, RouterPlace } from '../topology/rack-plan.ts';
import { birdConfig } from './bird-config.ts';
import { bfddConfig, bgpdConfig, zebraConfig } from './frr-config.ts';
import { gobgpConfig } from './gobgp-config.ts';
import { routingProgram } from './routing-toolchain.ts';

const READY_TIMEOUT_MS = 20_000;
const FRR = 'usr/lib/frr';
/** FRR refuses to run where its package's group is not; a number that no package takes. */
const FRR_GROUP = 'frrvty:x:65533:root';

/** Without it zebra takes each IPv6 route out of the kernel before it puts the changed one in, and what comes in between has no way to go. */
const REPLACES_IPV6 = '--v6-rr-semantics';

/** A router is a machine of its own: what answers BFD in it does so in time, however busy this one is with everything else. */
const IN_TIME = ['chrt', '--fifo', '5'];

/** One of a router's daemons. */
interface RouterDaemon {
  readonly name: string;
  readonly argv: readonly string[];
  /** It answers BFD. */
  readonly inTime?: true;
}

/** What people and checks ask a router with, and a question that it answers only when it works. */
interface RouterClient {
  readonly name: string;
  readonly argv: readonly string[];
  readonly probe: readonly string[];
}

/** How a kind of router runs: it writes its configuration, and names its daemons in the order that they start in. */
interface RouterKind {
  configure(): void;
  readonly daemons: readonly RouterDaemon[];
  readonly client: RouterClient;
}

/** Ids of a router's processes: `r1/bgpd`. */
export function routerProcessIds(router: RouterPlace, fabric: FabricPlan): string[] {
  return kindOf(router, fabric).daemons.map(({ name }) => `${router.id}/${name}`);
}

/** Writes the configuration of every router of a lab, and starts their daemons. */
export function startRouters(supervisor: Supervisor, fabric: FabricPlan): void {
  for (const router of routersOf(fabric)) {
    const { configure, daemons, client } = kindOf(router, fabric);
    mkdirSync(router.data, { recursive: true });
    configure();
    writeClient(router, client);
    for (const { name, argv, inTime } of daemons)
      supervisor.start({ id: `${router.id}/${name}`, place: router, argv: inTime ? [...IN_TIME, ...argv] : argv });
  }
}

/** Waits until a router answers questions. */
export async function waitForRouters(supervisor: Supervisor, fabric: FabricPlan): Promise<void> {
  for (const router of routersOf(fabric)) {
    const { daemons, client } = kindOf(router, fabric);
    const ready = async (): Promise<boolean> => (await tryCommand(enterPlace(router, [...client.argv, ...client.probe]))).status === 0;
    await supervisor.waitReady(`${router.id}/${daemons.at(-1)?.name}`, ready, READY_TIMEOUT_MS);
  }
}

/** The command line by which a router is asked something: vtysh, birdc or gobgp with these words. */
export function askRouter(router: RouterPlace, fabric: FabricPlan, words: readonly string[]): string[] {
  return [...kindOf(router, fabric).client.argv, ...words];
}

/** The folder with a router's own client: for the path of whoever is in that place. */
export function routerPath(router: RouterPlace): string {
  return join(router.data, 'bin');
}

/** The route server, then the ToRs. */
export function routersOf({ routeServer, racks }: FabricPlan): RouterPlace[] {
  return [routeServer, ...racks];
}

function kindOf(router: RouterPlace, fabric: FabricPlan): RouterKind {
  if (router.daemon === 'gobgp') return gobgp(router, fabric);
  const rack = fabric.racks.find(({ id }) => id === router.id) as RackPlan;
  return router.daemon === 'frr' ? frr(rack, fabric) : bird(rack, fabric);
}

function frr(rack: RackPlan, fabric: FabricPlan): RouterKind {
  const at = (file: string): string => join(rack.data, file);
  const daemon = (name: string, more: readonly string[] = []): RouterDaemon => {
    const files = ['-f', at(`${name}.conf`), '-i', at(`${name}.pid`), '-z', at('zserv'), '--vty_socket', rack.data];
    // -P 0: no port for telnet.
    const argv = routingProgram(`${FRR}/${name}`, [...files, ...more, '-u', 'root', '-g', 'root', '-P', '0', '--log', 'stdout']);
    return { name, argv: installed(rack, argv) };
  };
  return {
    configure() {
      writeFileSync(at('group'), `${readFileSync('/etc/group', 'utf8').trimEnd()}\n${FRR_GROUP}\n`);
      mkdirSync(at('tmp'), { recursive: true });
      const configs = { zebra: zebraConfig(), bfdd: bfddConfig(), bgpd: bgpdConfig(rack, fabric) };
      for (const [name, text] of Object.entries(configs)) writeFileSync(at(`${name}.conf`), text);
      writeFileSync(at('vtysh.conf'), 'username root nopassword\n');
    },
    daemons: [daemon('zebra', [REPLACES_IPV6]), { ...daemon('bfdd', ['--bfdctl', at('bfdd.sock')]), inTime: true }, daemon('bgpd')],
    client: {
      name: 'vtysh',
      argv: routingProgram('usr/bin/vtysh', ['--config_dir', rack.data, '--vty_socket', rack.data]),
      probe: ['-d', 'bgpd', '-c', 'show bgp summary'],
    },
  };
}

function bird(rack: RackPlan, fabric: FabricPlan): RouterKind {
  const at = (file: string): string => join(rack.data, file);
  return {
    configure: () => writeFileSync(at('bird.conf'), birdConfig(rack, fabric)),
    daemons: [
      {
        name: 'bird',
        inTime: true,
        argv: routingProgram('usr/sbin/bird', ['-f', '-c', at('bird.conf'), '-s', at('control'), '-P', at('pid')]),
      },
    ],
    client: { name: 'birdc', argv: routingProgram('usr/sbin/birdc', ['-s', at('control')]), probe: ['show', 'status'] },
  };
}

function gobgp(router: RouterPlace, fabric: FabricPlan): RouterKind {
  const config = join(router.data, 'gobgpd.toml');
  return {
    configure: () => writeFileSync(config, gobgpConfig(fabric)),
    daemons: [
      { name: 'gobgpd', argv: routingProgram('usr/bin/gobgpd', ['-f', config, '--api-hosts', '127.0.0.1:50051', '--pprof-disable']) },
    ],
    client: { name: 'gobgp', argv: routingProgram('usr/bin/gobgp', []), probe: ['neighbor'] },
  };
}

/** Runs a daemon of FRR as if it were installed: it finds its group, and what it leaves in /var/tmp is its own and goes with the lab. */
function installed({ data }: RackPlan, argv: readonly string[]): string[] {
  const script = 'mount --bind "$0/group" /etc/group; mount --bind "$0/tmp" /var/tmp; exec "$@"';
  return ['unshare', '--mount', 'sh', '-euc', script, data, ...argv];
}

/** `vtysh`, `birdc` or `gobgp` in the router's place, without any of what it has to be told here. */
function writeClient(router: RouterPlace, { name, argv }: RouterClient): void {
  mkdirSync(routerPath(router), { recursive: true });
  const quoted = argv.map((word) => `'${word}'`).join(' ');
  writeFileSync(join(routerPath(router), name), `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
}

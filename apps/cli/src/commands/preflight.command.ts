import { CodedError } from '@isthmus/core';
import { TUNNEL_PROTOCOLS, type TunnelProtocol, tunnelPort } from '@isthmus/model';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CLI_PREFLIGHT } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { addExample, addOutput, type OutputOptions } from '../options/common.ts';
import type { Tone } from '../output/paint.ts';
import { printJson } from '../output/print-json.ts';
import { type Cell, renderTable } from '../output/print-table.ts';
import { blockers, examine, type FeatureReport } from '../preflight/feature.ts';
import { KERNEL_FEATURES } from '../preflight/kernel-features.ts';
import { tunnelFeatures } from '../preflight/tunnel-features.ts';
import { USER_FEATURES } from '../preflight/user-features.ts';

interface PreflightOptions extends OutputOptions {
  tunnelProtocol: TunnelProtocol;
  tunnelPort: number;
}

const TONES: Readonly<Record<FeatureReport['state'], Tone>> = { yes: 'good', no: 'bad', unknown: 'doubtful' };

/** `preflight`: what this machine and user can do. */
export function addPreflight(program: Command, cli: Cli): void {
  const command = program
    .command('preflight')
    .description('Show feature by feature what this machine and this user can do, and what to do about the rest. Changes nothing')
    .addOption(
      new Option('--tunnel-protocol <protocol>', 'how packets will get to other nodes')
        .choices(TUNNEL_PROTOCOLS)
        .default(TUNNEL_PROTOCOLS[0]),
    )
    .addOption(
      new Option('--tunnel-port <port>', 'UDP port that the tunnel will use; that of the protocol when 0').argParser(parsePort).default(0),
    );
  addOutput(command);
  addExample(command, 'isthmus preflight');
  command.action((options: PreflightOptions) => preflight(cli, options));
}

async function preflight(cli: Cli, { output, tunnelProtocol: protocol, ...options }: PreflightOptions): Promise<void> {
  const port = tunnelPort({ 'tunnel-protocol': protocol, 'tunnel-port': options.tunnelPort });
  const reports = examine(await cli.connect.host(), [...USER_FEATURES, ...KERNEL_FEATURES, ...tunnelFeatures({ protocol, port })]);
  const missing = blockers(reports);
  if (output === 'json') printJson(cli.terminal, { ok: missing.length === 0, features: reports });
  else cli.terminal.out(reportText(reports, cli.terminal.colour));
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new CodedError(CLI_PREFLIGHT, `the agent cannot run here without: ${names}`);
  }
}

function reportText(reports: readonly FeatureReport[], colour: boolean): string {
  const rows = reports.map(({ name, state, required, detail }): Cell[] => [
    name,
    { text: state, tone: state === 'no' && !required ? 'doubtful' : TONES[state] },
    required ? 'yes' : '',
    detail,
  ]);
  const advice = reports.filter(({ action }) => action !== '').map(({ name, action }) => `${name}: ${action}\n`);
  return `${renderTable(['FEATURE', 'HERE', 'NEEDED', 'DETAIL'], rows, colour)}${advice.length === 0 ? '' : `\nwhat to do:\n${advice.join('')}`}`;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('It is a number from 0 to 65535.');
  return port;
}

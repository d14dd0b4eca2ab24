import { dirname, resolve } from 'node:path';
import { CodedError, isCoded, messageOf } from '@isthmus/core';
import { configSchema, tunnelPort } from '@isthmus/model';
import { type Command, Option } from 'commander';
import { agentConfig } from '../agent/agent-answers.ts';
import { CLI_CONTEXT_NONE, CLI_FILE } from '../cli.errors.ts';
import type { Cli } from '../cli.ts';
import { findContext } from '../context/context-store.ts';
import { contextJoinApi, contextResources } from '../context/open-context.ts';
import {
  addContext,
  addExample,
  addOutput,
  addSocket,
  type ContextOptions,
  type OutputOptions,
  type SocketOptions,
} from '../options/common.ts';
import { printJson } from '../output/print-json.ts';
import type { PlannedTunnel } from '../preflight/tunnel-features.ts';
import { agentPart } from '../sysdump/agent-part.ts';
import type { Archive } from '../sysdump/archive.ts';
import { clusterPart } from '../sysdump/cluster-part.ts';
import { type DumpPart, jsonFile } from '../sysdump/dump-part.ts';
import { logPart } from '../sysdump/log-part.ts';
import { machinePart } from '../sysdump/machine-part.ts';
import { scrapePart } from '../sysdump/scrape-part.ts';
import { type SysdumpReport, writeSysdump } from '../sysdump/write-sysdump.ts';

interface SysdumpOptions extends ContextOptions, OutputOptions, SocketOptions {
  outputFilename?: string;
  logs?: string[];
  metrics: string[];
}

/** Where the processes of a control plane usually serve their metrics. */
const METRICS = ['127.0.0.1:9962', '127.0.0.1:9963'];

/** `sysdump`: everything that helps to find a fault, in one file. */
export function addSysdump(program: Command, cli: Cli): void {
  const command = program
    .command('sysdump')
    .description(
      "Write one archive with what helps to find a fault: the agent's tables and the kernel's maps, status, metrics, settings, versions, " +
        'links and routes, the objects of the cluster of a context, logs. Without private keys and tokens. What cannot be read is said in ' +
        "its errors.txt; it is no reason to stop. Run it on the node in question, and on the control plane's machine",
    )
    .option('--output-filename <file>', 'where to write it; isthmus-sysdump-<time>.tar.gz here when absent')
    .option('--logs <file...>', 'log files to take along, their last 16 MiB each; the journal of units called isthmus* is taken anyway')
    .addOption(new Option('--metrics <address...>', 'host:port of processes that serve metrics').default(METRICS, METRICS.join(' ')));
  addOutput(addSocket(addContext(command)));
  addExample(command, 'isthmus sysdump', 'isthmus sysdump --context west --logs /var/log/isthmus/*.log --output-filename n1.tar.gz');
  command.action((options: SysdumpOptions) => sysdump(cli, options));
}

async function sysdump(cli: Cli, options: SysdumpOptions): Promise<void> {
  const time = new Date(cli.clock.wall());
  const name = `isthmus-sysdump-${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
  const path = resolve(options.outputFilename ?? `${name}.tar.gz`);
  const parts = await partsOf(cli, options);
  const { archive, report, bytes } = await write(cli, path, name, time, [aboutPart(time, options), ...parts]);
  if (options.output === 'json') printJson(cli.terminal, { file: archive, bytes, ...report });
  else cli.terminal.out(`${archive}: ${report.files} files, ${sizeText(bytes)}\n${errorsText(report)}`);
}

async function write(cli: Cli, path: string, folder: string, time: Date, parts: readonly DumpPart[]) {
  const archive = await openArchive(cli, path, folder, time);
  const started = cli.clock.now();
  try {
    const report = await writeSysdump(
      archive,
      parts,
      {
        partDone: (part, { files, bytes, errors }) => {
          const seconds = ((cli.clock.now() - started) / 1000).toFixed(1).padStart(5);
          cli.terminal.err(
            `[${seconds} s] ${part}: ${files} files, ${sizeText(bytes)}${errors > 0 ? `, ${errors} could not be read` : ''}\n`,
          );
        },
      },
      cli.interrupted,
    );
    return { archive: path, report, bytes: await archive.close() };
  } catch (error) {
    await archive.abandon();
    if (error instanceof CodedError) throw error;
    throw new CodedError(CLI_FILE, messageOf(error), { object: path, cause: error });
  }
}

async function openArchive(cli: Cli, path: string, folder: string, time: Date): Promise<Archive> {
  try {
    return await cli.connect.archive(path, folder, time);
  } catch (cause) {
    throw new CodedError(CLI_FILE, messageOf(cause), { object: dirname(path), cause });
  }
}

async function partsOf(cli: Cli, options: SysdumpOptions): Promise<DumpPart[]> {
  const agent = cli.connect.agent(options.socket);
  const [machine, host] = await Promise.all([cli.connect.machine(), cli.connect.host()]);
  // What the agent runs with, as far as it can be asked: pins and ports may be elsewhere than usual.
  const settings: Record<string, unknown> = await agentConfig(agent).catch(() => ({}));
  return [
    agentPart(agent),
    ...(await clusterParts(cli, options)),
    scrapePart(machine, options.metrics),
    machinePart(machine, host, {
      tunnel: plannedTunnel(settings),
      bpfRoot: String(settings['bpf-root'] ?? configSchema['bpf-root'].parse(undefined)),
    }),
    logPart(machine, options.logs ?? []),
  ];
}

function plannedTunnel(settings: Record<string, unknown>): PlannedTunnel {
  const protocol = configSchema['tunnel-protocol'].parse(settings['tunnel-protocol']);
  return { protocol, port: tunnelPort({ 'tunnel-protocol': protocol, 'tunnel-port': Number(settings['tunnel-port'] ?? 0) }) };
}

/** Without any context there is no cluster to ask: most nodes have none. One that was named must exist. */
async function clusterParts(cli: Cli, options: SysdumpOptions): Promise<DumpPart[]> {
  try {
    const context = await findContext(cli, options.context);
    const access = { joinApi: () => contextJoinApi(cli, context), resources: () => contextResources(cli, context) };
    return [clusterPart({ context: context.name, ...access })];
  } catch (error) {
    if (options.context !== undefined) throw error;
    if (isCoded(error, CLI_CONTEXT_NONE)) return [];
    return [{ name: 'the cluster of the current context', files: () => Promise.reject(error) }];
  }
}

function aboutPart(time: Date, { socket, context, metrics, logs }: SysdumpOptions): DumpPart {
  return {
    name: 'about',
    files: async () => [jsonFile('sysdump.json', async () => ({ time: time.toISOString(), socket, context, metrics, logs }))],
  };
}

function errorsText({ errors }: SysdumpReport): string {
  if (errors.length === 0) return '';
  const names = errors.map(({ path }) => `  ${path}\n`).join('');
  return `${errors.length} could not be read; why is in errors.txt:\n${names}`;
}

function sizeText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join } from 'node:path';
import { toolPath } from '@isthmus/lab';
import { Initramfs } from './initramfs.ts';
import { findModules, inLoadOrder } from './modules.ts';

/** Devices and attachment points that this machine's kernel may have as modules. */
const MODULES = ['veth', 'bridge', 'vxlan', 'geneve', 'wireguard', 'sch_ingress', 'cls_bpf', 'inet_diag', 'udp_diag', 'tcp_diag'];
const PROGRAMS = ['sh', 'ip', 'ss', 'ping', 'mount', 'umount', 'nsenter', 'unshare', 'sysctl'];
/** npm packages that the tests in the machine import, with all that they import. */
const PACKAGES = ['expect', 'ipaddr.js', 'koffi', '@koromix/koffi-linux-x64', 'pino', 'zod'];
const LIBRARIES = ['core', 'model', 'net', 'datapath', 'crypto'];
/** What a mesh of agents needs beyond that: the lab with what it runs, and the apps as they are built. */
const MESH_PROGRAMS = ['tc', 'cat', 'dirname', 'env'];
const DAEMONS = ['etcd', 'etcdctl'];
const APPS = ['agent', 'cli', 'clustermesh-apiserver', 'operator'];
const TRAFFIC = '.toolchain/lab/isthmus-traffic';
const WG = '.toolchain/wireguard/usr/bin/wg';
const CNI = 'apps/cni/build/isthmus-cni';
/** Where the repository is in the machine. */
const INSIDE = '/isthmus';

/** What a machine is made of. */
export interface ImageOptions {
  /** Of this checkout. */
  readonly repository: string;
  /** The kernel's folder below `/lib/modules`. */
  readonly modules: string;
  /** With the lab, the apps and etcd. */
  readonly mesh?: boolean;
}

/** Writes the first, and only, file system of the machine: a few programs, Node, our sources and objects, the kernel's modules. */
export function writeImage(path: string, { repository, modules, mesh = false }: ImageOptions): { megabytes: number } {
  const image = new Initramfs(path);
  for (const folder of ['/proc', '/sys', '/dev', '/tmp', '/run/netns', '/etc']) image.folder(folder);
  image.device('/dev/console', 5, 1);
  image.file('/init', readFileSync(join(repository, 'test/kernel/guest/init')));
  const programs = PROGRAMS.map((name) => [`/usr/bin/${name}`, findProgram(name)] as const);
  const here = (path: string): string => join(repository, path);
  addPrograms(image, [...programs, ['/usr/bin/node', process.execPath], [join(INSIDE, TRAFFIC), here(TRAFFIC)], ['/usr/bin/wg', here(WG)]]);
  image.link('/bin', 'usr/bin');
  addLibrary(image, findLibrary('libbpf.so.1'));
  inLoadOrder(findModules(modules), MODULES).forEach((file, index) => {
    image.file(`/modules/${String(index).padStart(3, '0')}-${basename(file)}`, readFileSync(file));
  });
  addSources(image, repository, mesh);
  if (mesh) addMesh(image, repository);
  image.close();
  return { megabytes: Math.round(image.bytes / 2 ** 20) };
}

function addSources(image: Initramfs, repository: string, mesh: boolean): void {
  const copy = (path: string): void => addTree(image, join(repository, path), join(INSIDE, path));
  for (const path of ['package.json', 'bpf/build', 'bpf/tests', 'libs/crypto/testing/wireguard-port.contract.ts', 'test/kernel/guest'])
    copy(path);
  for (const name of mesh ? readdirSync(join(repository, 'libs')) : LIBRARIES) {
    for (const path of ['package.json', 'src']) copy(`libs/${name}/${path}`);
    image.link(join(INSIDE, 'node_modules/@isthmus', name), `../../libs/${name}`);
  }
  for (const name of closure(repository, mesh ? [...PACKAGES, ...dependenciesOf(repository)] : PACKAGES)) copy(`node_modules/${name}`);
}

/** All that `lab up` runs. What the machine is made of is there, so that nothing has to be set up. */
function addMesh(image: Initramfs, repository: string): void {
  const copy = (path: string): void => addTree(image, join(repository, path), join(INSIDE, path));
  addPrograms(image, [
    ...MESH_PROGRAMS.map((name) => [`/usr/bin/${name}`, findProgram(name)] as const),
    ...DAEMONS.map((name) => [`/usr/bin/${name}`, toolPath(name)] as const),
    [join(INSIDE, CNI), join(repository, CNI)],
  ]);
  for (const path of ['lab/package.json', 'lab/src', 'lab/topologies', 'libs/kvstore/proto']) copy(path);
  for (const name of readdirSync(join(repository, 'libs'))) copy(`libs/${name}/dist`);
  for (const name of APPS) for (const path of ['package.json', 'dist']) copy(`apps/${name}/${path}`);
  for (const script of ['lab/node-run.sh', 'scripts/with-node', 'scripts/run-app'])
    image.file(join(INSIDE, script), readFileSync(join(repository, script)));
  image.file(join(INSIDE, 'scripts/setup'), '#!/bin/sh\n');
}

/** What the product itself is made of. */
function dependenciesOf(repository: string): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  return Object.keys(dependencies);
}

/** The packages, and what they depend on. */
function closure(repository: string, roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const add = (name: string): void => {
    const manifest = join(repository, 'node_modules', name, 'package.json');
    if (found.has(name) || name.startsWith('@types/') || !existsSync(manifest)) return;
    found.add(name);
    const { dependencies = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies?: Record<string, string> };
    for (const dependency of Object.keys(dependencies)) add(dependency);
  };
  for (const name of roots) add(name);
  return found;
}

/** Where files are named in other files. */
const NAMED_SOURCE = /\.ts(?=['"`])/g;

/**
 * Sources lose their types here, and with them the `.ts` of their names: the machine would take ten times as long.
 * @returns name and text in the machine
 */
function compiled(path: string, text: string): [path: string, text: string] {
  if (path.endsWith('.ts')) return [path.replace(/\.ts$/, '.js'), stripTypeScriptTypes(text).replace(NAMED_SOURCE, '.js')];
  return [path, path.endsWith('package.json') ? text.replace(NAMED_SOURCE, '.js') : text];
}

/** Neither specs nor documentation nor what only a compiler reads. */
const UNUSED = /\.(d\.[cm]?ts|map|md|spec\.ts)$|\/node_modules\/[^/]+\/(doc|vendor)\//;
/** Of specs only those that are run: everything in these folders is. */
const WHOLE = /\/(bpf\/tests|test\/kernel\/guest)\//;

function addTree(image: Initramfs, from: string, to: string): void {
  if (!statSync(from).isDirectory()) {
    if (!WHOLE.test(to) && UNUSED.test(to)) return;
    if (/\/node_modules\/|\.o$/.test(to)) image.file(to, readFileSync(from), 0o644);
    else image.file(...compiled(to, readFileSync(from, 'utf8')), 0o644);
    return;
  }
  for (const name of readdirSync(from)) addTree(image, join(from, name), join(to, name));
}

function addPrograms(image: Initramfs, programs: readonly (readonly [inside: string, outside: string])[]): void {
  for (const [inside, outside] of programs) {
    image.file(inside, readFileSync(outside));
    for (const library of neededLibraries(outside)) addLibrary(image, library);
  }
}

const added = new WeakMap<Initramfs, Set<string>>();

/** A shared library with all that it needs, under the path that the loader looks for. */
function addLibrary(image: Initramfs, path: string): void {
  const known = added.get(image) ?? new Set();
  added.set(image, known);
  if (known.has(path)) return;
  known.add(path);
  image.file(path, readFileSync(realpathSync(path)));
  for (const library of neededLibraries(path)) addLibrary(image, library);
}

/** None, where a program is linked statically: `ldd` fails then. */
function neededLibraries(path: string): string[] {
  return spawnSync('ldd', [path], { encoding: 'utf8' }).stdout.match(/\/\S+(?= \(0x)/g) ?? [];
}

function findProgram(name: string): string {
  return realpathSync(execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${name}`], { encoding: 'utf8' }).trim());
}

function findLibrary(name: string): string {
  const cache = execFileSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin ldconfig -p'], { encoding: 'utf8' });
  const path = cache
    .split('\n')
    .find((line) => line.trim().startsWith(`${name} `))
    ?.split('=> ')[1];
  if (path === undefined) throw new Error(`${name} is not on this machine`);
  return path;
}

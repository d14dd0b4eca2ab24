/**
 * The arrows of ARCHITECTURE.md: apps -> ring 2 -> ring 1 -> ring 0. Domain code knows neither adapters nor input and output.
 * Specs are held to the arrows between workspaces, and are free inside their own.
 */
const RING_0 = '(core|net)';
const RING_1 = 'model';
const RING_2 = '(?!(core|net|model)/)[^/]+';

/** Node modules that reach outside the process, or tell time. */
const IO_MODULES =
  '^(node:)?(child_process|cluster|dgram|dns|fs|http|http2|https|inspector|net|os|perf_hooks|process|readline|repl|timers|tls|tty|vm|worker_threads)(/|$)';
/** npm packages that do input and output, or are a framework. */
const IO_PACKAGES = 'node_modules/(@grpc|@nestjs|fastify|koffi|pino|prom-client|commander)(/|$)';

const SPEC = '\\.spec\\.ts$';
const EDGE = `/adapters/|/index\\.ts$|\\.module\\.ts$|${SPEC}`;

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid(
      'no-cycles',
      'Modules that need each other are one module, or miss a third one. (Type-only imports are no need.)',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    forbid('no-unresolved', 'The import leads nowhere.', {}, { couldNotResolve: true }),

    forbid('ring-0-imports-no-lib', 'core and net stand alone.', { path: `^libs/${RING_0}/` }, { path: '^libs/', pathNot: '^libs/$1/' }),
    forbid(
      'ring-1-imports-ring-0-only',
      'model builds on core and net.',
      { path: `^libs/${RING_1}/` },
      { path: '^libs/', pathNot: `^libs/(${RING_1}|core|net)/` },
    ),
    forbid(
      'ring-2-libs-do-not-meet',
      'Ring-2 libs share row types and ports through model, and meet in apps.',
      { path: `^libs/(${RING_2})/` },
      { path: '^libs/', pathNot: '^libs/($1|core|net|model)/' },
    ),
    forbid('libs-know-no-apps', 'Arrows point from apps to libs.', { path: '^libs/' }, { path: '^(apps|lab|bench|test|scripts)/' }),
    forbid(
      'apps-do-not-meet',
      'An app is a composition root: nothing builds on it.',
      { path: '^apps/([^/]+)/' },
      { path: '^apps/', pathNot: '^apps/$1/' },
    ),
    forbid('lab-and-bench-run-apps', 'They start apps as processes and import libs only.', { path: '^(lab|bench)/' }, { path: '^apps/' }),

    forbid(
      'libs-through-their-index',
      'A lib is what its index.ts exports; its testing/ folder is for tests. (What generates code reads BTF without what it generates.)',
      { path: '^(apps|lab|bench|scripts)/', pathNot: `${SPEC}|^scripts/(layouts/|generate-layouts)` },
      { path: '^libs/[^/]+/', pathNot: '^libs/[^/]+/(src/index\\.ts|dist/index\\.(js|d\\.ts))$' },
    ),
    forbid(
      'libs-through-their-index-in-libs',
      'A lib is what its index.ts exports.',
      { path: '^libs/([^/]+)/' },
      { path: '^libs/[^/]+/src/', pathNot: '^libs/($1/|[^/]+/src/index\\.ts$)' },
    ),

    forbid(
      'domain-knows-no-adapter',
      'Domain code states ports; who composes chooses adapters.',
      { path: '^libs/([^/]+)/src/', pathNot: EDGE },
      { path: '/src/adapters/' },
    ),
    forbid(
      'domain-does-no-io',
      'Clock, Random and ports come in.',
      { path: '^libs/[^/]+/src/', pathNot: EDGE },
      { path: IO_MODULES, dependencyTypes: ['core'] },
    ),
    forbid(
      'domain-knows-no-client-library',
      'Client libraries live in adapters.',
      { path: '^libs/[^/]+/src/', pathNot: EDGE },
      { path: IO_PACKAGES },
    ),
    forbid(
      'specs-of-libs-know-no-nest',
      'Domain classes are plain, so their specs are fast.',
      { path: `^libs/.*${SPEC}` },
      { path: 'node_modules/@nestjs/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['isthmus:source', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs'],
    },
  },
};

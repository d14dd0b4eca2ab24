const common = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['isthmus:source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/.toolchain/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** One project per tier: `unit` needs nothing, the others need root (see ARCHITECTURE.md, "Tests"). */
export default {
  // Against hanging only: no test judges speed, and the machine may be busy. It is of all projects: in one of them it says nothing.
  testTimeout: 30_000,
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs,lab,bench}/**/src/**/*.spec.ts'] },
    { ...common, displayName: 'etcd', testMatch: ['<rootDir>/test/etcd/**/*.spec.ts'] },
    { ...common, displayName: 'bpf', testMatch: ['<rootDir>/bpf/tests/**/*.spec.ts'] },
    { ...common, displayName: 'bgp', testMatch: ['<rootDir>/test/bgp/**/*.spec.ts'] },
    { ...common, displayName: 'wireguard', testMatch: ['<rootDir>/test/wireguard/**/*.spec.ts'] },
    { ...common, displayName: 'kernel', testMatch: ['<rootDir>/test/kernel/*.spec.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'] },
    { ...common, displayName: 'chaos', testMatch: ['<rootDir>/test/chaos/**/*.spec.ts'] },
    { ...common, displayName: 'interop', testMatch: ['<rootDir>/test/interop/**/*.spec.ts'] },
  ],
};

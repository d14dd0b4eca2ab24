export * from './cluster-config.codec.ts';

export * from './adapters/bpf/index.ts';
export * from './adapters/netlink/index.ts';
export { closeNetns, NETNS_ENTER, NETNS_MISSING, openNetns, withNetns } from './adapters/netns.ts';
export { addressOf, addrKeyOf, FLAT_NET, ipcacheKeyOf } from './addr-key.ts';
export * from './generated/layouts.ts';

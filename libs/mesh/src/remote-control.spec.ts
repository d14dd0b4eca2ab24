import { FakeRemoteStore } from '../testing/fake-remote-store.ts';
import { flush } from '../testing/remote-cluster.harness.ts';
import { canaryPrefix, clusterConfigKey, HEARTBEAT_KEY } from './keys.ts';
import { RemoteControl } from './remote-control.ts';

const config = clusterConfigKey('c');
const canary = `${canaryPrefix('c')}cilium/state/ip/v1`;

async function opened(): Promise<{ store: FakeRemoteStore; control: RemoteControl }> {
  const store = new FakeRemoteStore();
  const control = new RemoteControl(store, 'c', HEARTBEAT_KEY, { changed: () => {}, heartbeat: () => {} });
  store.put(config, '{"id":3}');
  store.put(canary, 't1');
  control.open();
  await flush();
  return { store, control };
}

it('believes what it reads over what the mirrors have not told yet', async () => {
  const { store, control } = await opened();
  const token = control.canary(canary);
  store.silently(() => store.delete(config));
  store.silently(() => store.put(canary, 't2'));
  await expect(control.refresh([canary])).resolves.toBe(true);
  expect(control.config).toBeUndefined();
  expect(control.canary(canary)).not.toBe(token);
});

it('believes a mirror over an older answer that arrives later', async () => {
  const { store, control } = await opened();
  store.silently(() => store.delete(config));
  const answer = control.refresh([canary]); // reads now: no configuration
  store.put(config, '{"id":4}');
  await expect(answer).resolves.toBe(false);
  expect(control.config?.text).toBe('{"id":4}');
});

it('tells a canary that was written again from the one before, also with the same text', async () => {
  const { store, control } = await opened();
  const token = control.canary(canary);
  store.put(canary, 't1');
  await flush();
  expect(control.canary(canary)).not.toBe(token);
});

it('remembers no more canaries than there can be', async () => {
  const { store, control } = await opened();
  for (let i = 0; i < 1000; i++) store.put(`${canaryPrefix('c')}junk/${i}`, 't');
  await flush();
  expect(control.canary(`${canaryPrefix('c')}junk/999`)).toBeUndefined();
  expect(control.canary(canary)).toBeDefined();
});

it('forgets everything when it is closed', async () => {
  const { store, control } = await opened();
  control.close();
  expect([control.connected, control.config, control.canary(canary), store.followed]).toEqual([false, undefined, undefined, []]);
});

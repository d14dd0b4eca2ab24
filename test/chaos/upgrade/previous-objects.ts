import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCommand } from '@isthmus/lab';

/** Structs of bpf/lib/maps.h as an earlier version might have had them: fields elsewhere, smaller, missing, or since gone. */
const EARLIER: Readonly<Record<string, string>> = {
  peer_value: '__u32 forgotten; __u8 addr[ADDR_LEN]; __u8 mode; __u8 family; __u16 cluster; __u8 tx; __u8 pad[3];',
  ipcache_value: '__u16 cluster; __u16 pad; __u32 peer; __u32 identity; __u32 flags; __u32 forgotten;',
  endpoint_value:
    '__u32 identity; __u32 ifindex; __u16 flags; __u16 id; __u32 generation; __u32 policy_id; __u8 mac[MAC_LEN]; __u8 node_mac[MAC_LEN];',
  backend_value: '__u16 cluster; __u16 pad; struct addr_key addr; __be16 port; __u8 flags; __u8 protocol;',
  service_value: '__u32 flags; __u32 backend; __u16 revnat; __u16 count; __u32 affinity_timeout; __u32 forgotten;',
  sock_nat_value: '__u32 backend; __be16 port; __u16 revnat; struct addr_key addr;',
  metric_value: '__u64 bytes; __u64 packets; __u64 forgotten;',
};

/** The maps that hold them. */
export const CHANGED_MAPS = ['peers', 'ipcache', 'endpoints', 'backends', 'services', 'sock_nat', 'metrics'].map((name) => `isth_${name}`);

/** Compiled objects of the earlier version, in a folder that is gone with `remove`. */
export async function previousObjects(): Promise<{ folder: string; remove(): void }> {
  const root = mkdtempSync(join(tmpdir(), 'isthmus-previous-'));
  cpSync(resolve('bpf'), join(root, 'bpf'), { recursive: true, filter: (path) => !path.includes('/build') });
  cpSync(resolve('scripts/build-bpf'), join(root, 'scripts/build-bpf'));
  const header = join(root, 'bpf/lib/maps.h');
  writeFileSync(header, earlier(readFileSync(header, 'utf8')));
  await runCommand([join(root, 'scripts/build-bpf')]);
  return { folder: join(root, 'bpf/build'), remove: () => rmSync(root, { recursive: true }) };
}

function earlier(header: string): string {
  let text = header;
  for (const [name, fields] of Object.entries(EARLIER)) {
    const struct = new RegExp(`struct ${name} \\{[^}]*\\};`);
    if (!struct.test(text)) throw new Error(`bpf/lib/maps.h has no struct ${name}`);
    text = text.replace(struct, `struct ${name} { ${fields} };`);
  }
  return text;
}

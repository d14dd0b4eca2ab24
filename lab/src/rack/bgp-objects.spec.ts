import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { repositoryFile } from '../toolchain.ts';
import { planLab } from '../topology/plan.ts';
import { loadTopology } from '../topology/topology.ts';
import { bgpObjects, RACK_COMMUNITIES, RACK_SERVICE } from './bgp-objects.ts';

interface Peer {
  readonly name: string;
  readonly peerAddress: string;
  readonly peerASN: number;
  readonly peerConfigRef: { readonly name: string };
}

interface AnyObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly nodeSelector: { readonly matchLabels: Record<string, string> };
    readonly bgpInstances: readonly { readonly localASN: number; readonly peers: readonly Peer[] }[];
    readonly authSecretRef?: string;
  };
}

const plan = planLab('lab', loadTopology('bgp-rack'));
const objects = bgpObjects(plan, plan.clusters[1]!) as AnyObject[];
const files = ['peering', 'service'].flatMap((file) =>
  parseAllDocuments(readFileSync(repositoryFile(`lab/manifests/bgp-rack/${file}.yaml`), 'utf8')).map((each) => each.toJS() as AnyObject),
);

it('names for each node the addresses of its ToR, over each family of each link', () => {
  const config = objects.find(({ metadata }) => metadata.name === 'rack-n2');
  expect(config?.spec.nodeSelector).toEqual({ matchLabels: { 'kubernetes.io/hostname': 'n2' } });
  const [instance] = config?.spec.bgpInstances ?? [];
  expect(instance?.localASN).toBe(65022);
  expect(instance?.peers.map(({ name, peerAddress, peerASN }) => [name, peerAddress, peerASN])).toEqual([
    ['tor-up0-v4', '172.22.2.6', 65102],
    ['tor-up0-v6', 'fd22:2::6', 65102],
    ['tor-up1-v4', '172.22.2.8', 65102],
    ['tor-up1-v6', 'fd22:2::8', 65102],
  ]);
});

it('refers to what is there, and protects one session of a rack', () => {
  const peers = objects.flatMap(({ spec }) => spec?.bgpInstances ?? []).flatMap((instance) => instance.peers);
  const configs = files.filter(({ kind }) => kind === 'CiliumBGPPeerConfig');
  const refs = peers.map(({ peerConfigRef }) => peerConfigRef.name);
  expect(refs.filter((name) => name === 'rack-ipv4-protected')).toHaveLength(1);
  for (const name of refs) expect(configs.map(({ metadata }) => metadata.name)).toContain(name);
  const secret = objects.find(({ kind }) => kind === 'Secret');
  expect(configs.flatMap(({ spec }) => spec.authSecretRef ?? [])).toEqual([secret?.metadata.name]);
});

it('says in code what the files say', () => {
  expect(files.some(({ kind, metadata }) => kind === 'Service' && metadata.name === RACK_SERVICE)).toBe(true);
  const advertisement = JSON.stringify(files.find(({ kind }) => kind === 'CiliumBGPAdvertisement'));
  for (const community of Object.values(RACK_COMMUNITIES)) expect(advertisement).toContain(`"${community}"`);
});

it('leaves clusters without racks alone', () => {
  const bridged = planLab('lab', loadTopology('two-clusters'));
  expect(bgpObjects(bridged, bridged.clusters[0]!)).toEqual([]);
});

// Runs the datapath of an earlier version on a node whose agent is down: its programs in today's places, its maps with today's rows. Prints the
// maps whose layouts differ.
//   run-previous.ts <folder of the earlier objects> --config-dir <folder>
import { listLinks, NetlinkSocket, PodProgramSink } from '@isthmus/datapath';
import { parseConfig, readConfigSources } from '@isthmus/model';
import { agentFacts } from '../../../apps/agent/src/agent-facts.ts';
import { cgroupRoot } from '../../../apps/agent/src/datapath/cgroup.ts';
import { ensureDevices } from '../../../apps/agent/src/datapath/devices.ts';
import { startPrograms } from '../../../apps/agent/src/datapath/programs.ts';
import { NodeStateFile } from '../../../apps/agent/src/node/node-state.ts';
import { PodCidrs } from '../../../apps/agent/src/node/pod-cidrs.ts';
import { StateFolder } from '../../../apps/agent/src/state/state-folder.ts';

/** As the CNI names the host side of a pod's pair. */
const POD_DEVICE = /^isth[0-9a-f]{8}$/;

const [objectDir = '', ...settings] = process.argv.slice(2);
const { config } = parseConfig(readConfigSources(settings));
const facts = agentFacts(config);
const podCidrs = new PodCidrs(facts.podMtu, [4, 6]);
podCidrs.set(new NodeStateFile(new StateFolder(config['state-dir'])).load()?.podCidrs ?? []);

const programs = startPrograms(
  {
    objectDir,
    pinFolder: config['bpf-root'],
    cgroup: cgroupRoot(config['cgroup-root']),
    gateway: podCidrs.gateway(),
    podMtu: facts.podMtu,
    dualStack: true,
    native: false,
    maxEntries: {},
    underlay: facts.underlay,
  },
  ensureDevices({
    podMtu: facts.podMtu,
    tunnel: { protocol: facts.tunnelProtocol, port: facts.tunnelPort, mtu: facts.podMtu },
    ipv6: true,
  }),
);
const links = NetlinkSocket.using('route', undefined, (socket) => listLinks(socket));
const pods = links.flatMap(({ name, index }) => (POD_DEVICE.test(name) ? [{ key: name, row: { ifindex: index } }] : []));
// As that version did: today's agent has to take over from TCX links.
const sink = new PodProgramSink({ programFd: programs.podProgram, pinFolder: config['bpf-root'], tcx: true });
const failures = sink.update(pods);
for (const [pod, error] of failures) console.error(pod, error);
console.log(JSON.stringify({ pods: pods.length - failures.size, migrated: programs.migrated }));
programs.close();

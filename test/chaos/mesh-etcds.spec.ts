import { chaosLab } from './chaos-lab.ts';
import { etcdCases } from './mesh/etcd.cases.ts';
import { MESH_TOPOLOGY } from './mesh/mesh-lab.ts';

// What can happen to a cluster's etcds and to the way between clusters. One lab serves all cases: each leaves it as it found it.

const lab = chaosLab('chaosetcds', MESH_TOPOLOGY);

describe('a cluster survives that', () => etcdCases(lab));

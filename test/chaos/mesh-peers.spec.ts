import { chaosLab } from './chaos-lab.ts';
import { hostileCases } from './mesh/hostile.cases.ts';
import { MESH_TOPOLOGY } from './mesh/mesh-lab.ts';

// What a peer can do to a cluster that is connected with it. One lab serves all cases: each builds on what the one before left of the peer.

const lab = chaosLab('chaospeers', MESH_TOPOLOGY);

describe('a peer', () => hostileCases(lab));

import { checksBeyondTwo, describeLab } from '../prove-lab.ts';

/** Of the checks that any two clusters can prove, those that show that a routed underlay of many links is one. */
const ANYWHERE = ['processes', 'underlay', 'pod-to-pod-across-nodes-udp', 'pod-to-pod-across-clusters-tcp', 'pod-to-host-across-clusters'];

describeLab('a lab of racks', 'bgp-rack', 'bgpverify', checksBeyondTwo('bgp-rack', ANYWHERE));

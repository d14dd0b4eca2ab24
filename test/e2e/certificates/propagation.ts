import type { Lab } from '@isthmus/lab';
import { isthmus, statusWhen } from '../errors/error-lab.ts';

/** Adds a global service to a cluster. */
async function addService(lab: Lab, cluster: string, name: string): Promise<void> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', annotations: { 'service.cilium.io/global': 'true' } },
    spec: { selector: { app: 'server' }, ports: [{ name: 'tcp', protocol: 'TCP', port: 80, targetPort: 8080 }] },
  };
  const applied = await isthmus(lab, cluster, ['apply', '--context', cluster, '-f', '-'], { input: JSON.stringify(service) });
  expect(applied).toMatchObject({ status: 0 });
}

/** How many of west's services the agent of east's node knows: a change gets there through every watch that there is. */
async function servicesSeen(lab: Lab, atLeast = 0): Promise<number> {
  const count = (status: unknown): number => (status as SeenServices).remoteClusters?.[0]?.kinds.services.count ?? -1;
  const status = await statusWhen(lab.node('east', 'n1'), `it knows ${atLeast} services of west`, (each) => count(each) >= atLeast);
  return count(status);
}

interface SeenServices {
  remoteClusters?: { kinds: { services: { count: number } } }[];
}

/** Makes a change at one end of the mesh, and waits until it gets to the other. */
export async function expectPropagation(lab: Lab, name: string): Promise<void> {
  const before = await servicesSeen(lab);
  // The same step may be taken more than once: what is there already would change nothing.
  await addService(lab, 'west', `${name}-${before + 1}`);
  await servicesSeen(lab, before + 1);
}

import { objectKey } from './etcd-key.ts';
import { POD } from './kinds/pod.ts';
import { SERVICE } from './kinds/service.ts';
import { findKind } from './kinds.ts';
import { kindOf, parseResource } from './validate.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { nodeName: 'n1', priority: 3 } };

describe('parseResource', () => {
  it('keeps unknown fields and fills in the namespace', () => {
    expect(parseResource(POD, pod)).toMatchObject({ metadata: { namespace: 'default' }, spec: { priority: 3 } });
  });

  it('names the object and the field that is wrong', () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec: { ports: [{ port: 70000 }] } };
    expect(() => parseResource(SERVICE, service)).toThrow('Service: spec.ports.0.port');
    expect(() => parseResource(POD, { ...pod, metadata: { name: 'Bad_Name' } })).toThrow('Pod: metadata.name');
    expect(() => parseResource(POD, { ...pod, apiVersion: 'v2' })).toThrow('expected v1, got v2');
  });

  it('finds kinds by the names that people type', () => {
    expect(findKind('svc')).toBe(SERVICE);
    expect(findKind('Pods')).toBe(POD);
    expect(() => kindOf({ kind: 'Deployment' })).toThrow('no kind is named Deployment');
  });

  it('places objects in etcd', () => {
    expect(objectKey(POD, 'a', 'b')).toBe('isthmus/resources/core/v1/pods/b/a');
  });
});

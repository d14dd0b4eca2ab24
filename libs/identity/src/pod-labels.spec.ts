import { labelText, parseLabelText } from './label-text.ts';
import { podIdentityLabels } from './pod-labels.ts';

const pod = { cluster: 'cluster3', namespace: 'bar', labels: {}, namespaceLabels: {}, serviceAccount: '' };

describe('podIdentityLabels', () => {
  it('is the sorted text that Cilium stores', () => {
    expect(podIdentityLabels({ ...pod, labels: { app: 'baz' } })).toBe(
      'k8s:app=baz;k8s:io.cilium.k8s.policy.cluster=cluster3;k8s:io.kubernetes.pod.namespace=bar;',
    );
  });

  it('leaves out labels that differ per pod, keeps app.kubernetes.io', () => {
    const labels = { 'pod-template-hash': 'x', 'statefulset.kubernetes.io/pod-name': 'a-0', 'app.kubernetes.io/name': 'web' };
    expect(podIdentityLabels({ ...pod, labels })).toContain('k8s:app.kubernetes.io/name=web;');
    expect(podIdentityLabels({ ...pod, labels })).not.toMatch(/pod-template-hash|statefulset/);
  });

  it('does not let a pod pass for another cluster, namespace or namespace label', () => {
    const labels = {
      'io.cilium.k8s.policy.cluster': 'other',
      'io.kubernetes.pod.namespace': 'kube-system',
      'io.cilium.k8s.namespace.labels.team': 'admins',
    };
    expect(podIdentityLabels({ ...pod, labels })).toBe(podIdentityLabels(pod));
  });

  it('round-trips through the text', () => {
    const text = podIdentityLabels({ ...pod, labels: { app: 'a', empty: '' }, namespaceLabels: { team: 'x' }, serviceAccount: 'sa' });
    expect(labelText(parseLabelText(text))).toBe(text);
    expect(text).toContain('k8s:empty=;');
    expect(text).toContain('k8s:io.cilium.k8s.namespace.labels.team=x;');
  });
});

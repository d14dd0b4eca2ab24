/**
 * Values as Go's encoding/json writes them (Go 1.26; structs with the fields of docs/wire.md), character for character.
 * They hold what Go treats in its own way: HTML characters, U+2028, control characters, map order by bytes, nil against empty.
 * What is ours is written in the same way.
 */
export const GOLDEN = {
  nodeFull:
    '{"Name":"worker-1","Cluster":"cluster3","IPAddresses":[{"Type":"InternalIP","IP":"172.18.0.3"},{"Type":"InternalIP","IP":"fc00:c111::3"},{"Type":"CiliumInternalIP","IP":"10.244.0.74"}],"IPv4AllocCIDR":{"IP":"10.244.1.0","Mask":"////AA=="},"IPv4SecondaryAllocCIDRs":[{"IP":"10.245.0.0","Mask":"//8AAA=="}],"IPv6AllocCIDR":{"IP":"fd00:10:244:1::","Mask":"//////////8AAAAAAAAAAA=="},"IPv6SecondaryAllocCIDRs":[],"IPv4HealthIP":"10.244.0.134","IPv6HealthIP":"","IPv4IngressIP":"","IPv6IngressIP":"","ClusterID":3,"Source":"custom-resource","EncryptionKey":0,"Labels":{"10":"ten","2":"two","a/b":"","b":"\\u003c\\u0026\\u003e","\uff5e":"x","\ud83d\ude00":"y"},"Annotations":{"u":"\\u2028\\u2029\\t\\n\\b\\f\\u0001\u007f\\"\\\\\u00e9"},"WireguardPubKey":"AAAA","BootID":"570d3fd1-0000-4000-8000-000000000000"}',
  nodeBare:
    '{"Name":"n","Cluster":"cluster3","IPAddresses":null,"IPv4AllocCIDR":null,"IPv4SecondaryAllocCIDRs":null,"IPv6AllocCIDR":null,"IPv6SecondaryAllocCIDRs":null,"IPv4HealthIP":"","IPv6HealthIP":"","IPv4IngressIP":"","IPv6IngressIP":"","ClusterID":3,"Source":"","EncryptionKey":0,"Labels":null,"Annotations":null,"WireguardPubKey":"","BootID":""}',
  ipPod:
    '{"IP":"10.244.1.79","HostIP":"172.18.0.3","ID":199472,"Key":0,"Metadata":"","K8sNamespace":"foo","K8sPodName":"cep-001","K8sServiceAccount":"default"}',
  ipPorts:
    '{"IP":"fd00::1","HostIP":"","ID":2,"Key":15,"Metadata":"","K8sPodUID":"u-1","NamedPorts":[{"Name":"http","Port":80,"Protocol":"TCP"}]}',
  ipNet: '{"IP":"10.1.0.0","Mask":"//8AAA==","HostIP":"172.18.0.3","ID":199472,"Key":0,"Metadata":""}',
  service:
    '{"cluster":"cluster3","namespace":"default","name":"echo","frontends":{"10.96.0.10":{"":{"Protocol":"UDP","Port":53},"http":{"Protocol":"TCP","Port":80}}},"backends":{"10.244.1.10":{"http":{"Protocol":"TCP","Port":8080}},"10.244.1.9":{},"fd00::9":{"http":{"Protocol":"TCP","Port":8080}}},"hostnames":{"10.244.1.10":"echo-0"},"zones":{"10.244.1.10":{"zone":"z1","forZones":[{"name":"z1"},{"name":"z2"}]},"10.244.1.9":{"zone":"z2","forZones":null}},"labels":{"app":"echo"},"selector":null,"includeExternal":true,"shared":true,"clusterID":3}',
  serviceBare:
    '{"cluster":"cluster3","namespace":"default","name":"echo","frontends":{},"backends":{},"labels":{},"selector":null,"includeExternal":false,"shared":false,"clusterID":3}',
  identity: 'k8s:app=baz;k8s:io.cilium.k8s.policy.cluster=cluster3;k8s:io.kubernetes.pod.namespace=bar;',
  serviceExport:
    '{"cluster":"cluster3","name":"echo","namespace":"default","exportCreationTimestamp":"2024-05-01T10:00:00Z","ports":[{"name":"http","protocol":"TCP","port":80}],"type":"ClusterSetIP","sessionAffinity":"None","ipFamilies":["IPv4"]}',
  serviceExportFull:
    '{"cluster":"cluster3","name":"echo","namespace":"default","annotations":{"a":"1"},"labels":{"b":"2"},"exportCreationTimestamp":"2024-05-01T10:00:00Z","ports":[{"name":"web","protocol":"TCP","appProtocol":"kubernetes.io/h2c","port":80},{"port":81}],"type":"Headless","sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10800}},"ipFamilies":["IPv4","IPv6"],"internalTrafficPolicy":"Local","trafficDistribution":"PreferClose"}',
  wireGuard:
    '{"cluster":"cluster3","name":"worker-1","clusterID":3,"epochs":[{"epoch":6,"publicKey":"BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgY=","port":51871},{"epoch":7,"publicKey":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=","port":51872}],"minTx":6,"laggards":["a/n-1","cluster4/worker-9"],"blockedBy":["b/worker-2"],"wanted":{"epoch":8,"cluster":"cluster4"}}',
  wireGuardBare: '{"cluster":"cluster3","name":"worker-1","clusterID":3,"epochs":[],"minTx":0,"laggards":[]}',
  wireGuardTarget:
    '{"cluster":"cluster3","clusterID":3,"target":7,"startedAt":"2026-05-01T10:00:00Z","by":"admin","reason":"a key \\u003clost\\u003e"}',
  clusterConfig: '{"id":3,"capabilities":{"syncedCanaries":true,"maxConnectedClusters":255,"serviceExportsEnabled":false}}',
  clusterConfigCached: '{"id":3,"capabilities":{"syncedCanaries":true,"cached":true,"maxConnectedClusters":511}}',
  clusterConfigOurs:
    '{"id":3,"capabilities":{"syncedCanaries":true,"maxConnectedClusters":255},"isthmus":{"tunnelProtocol":"vxlan","wireguard":true}}',
} as const;

package main

import (
	"net"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	mcsapiv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"

	"github.com/cilium/cilium/pkg/cidr"
	mcsapi "github.com/cilium/cilium/pkg/clustermesh/mcsapi/types"
	services "github.com/cilium/cilium/pkg/clustermesh/store"
	cmtypes "github.com/cilium/cilium/pkg/clustermesh/types"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/kvstore/store"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/loadbalancer"
	"github.com/cilium/cilium/pkg/node/addressing"
	nodetypes "github.com/cilium/cilium/pkg/node/types"
	"github.com/cilium/cilium/pkg/source"
)

// The cluster that is written. What is in its records is compared field by field in ../mesh.spec.ts.
const (
	clusterName = "cilium"
	clusterID   = 7
	firstID     = clusterID << 16
)

func clusterConfig() cmtypes.CiliumClusterConfig {
	mcs := true
	capabilities := cmtypes.CiliumClusterConfigCapabilities{SyncedCanaries: true, MaxConnectedClusters: 255, ServiceExportsEnabled: &mcs}
	return cmtypes.CiliumClusterConfig{ID: clusterID, Capabilities: capabilities}
}

// records are of each kind one with every field, and one with as few as may be.
func records() map[string][]store.Key {
	return map[string][]store.Key{
		"nodes":          {fullNode(), &nodetypes.Node{Name: "bare", Cluster: clusterName, ClusterID: clusterID}},
		"identities":     {numbered(firstID+300, podLabels("web")), numbered(firstID+301, podLabels(""))},
		"ips":            addresses(),
		"services":       {fullService(), bareService()},
		"serviceexports": {fullExport(), bareExport()},
	}
}

func fullNode() *nodetypes.Node {
	return &nodetypes.Node{
		Name:    "worker-1",
		Cluster: clusterName,
		IPAddresses: []nodetypes.Address{
			{Type: addressing.NodeInternalIP, IP: net.ParseIP("192.0.2.7")},
			{Type: addressing.NodeInternalIP, IP: net.ParseIP("2001:db8:7::1")},
			{Type: addressing.NodeExternalIP, IP: net.ParseIP("198.51.100.7")},
			{Type: addressing.NodeCiliumInternalIP, IP: net.ParseIP("10.77.1.1")},
		},
		IPv4AllocCIDR:           cidr.MustParseCIDR("10.77.1.0/24"),
		IPv4SecondaryAllocCIDRs: []*cidr.CIDR{cidr.MustParseCIDR("10.78.0.0/20")},
		IPv6AllocCIDR:           cidr.MustParseCIDR("fd77:1::/64"),
		IPv6SecondaryAllocCIDRs: []*cidr.CIDR{cidr.MustParseCIDR("fd78::/80")},
		IPv4HealthIP:            net.ParseIP("10.77.1.2"),
		IPv6HealthIP:            net.ParseIP("fd77:1::2"),
		IPv4IngressIP:           net.ParseIP("10.77.1.3"),
		IPv6IngressIP:           net.ParseIP("fd77:1::3"),
		ClusterID:               clusterID,
		Source:                  source.CustomResource,
		EncryptionKey:           5,
		Labels:                  map[string]string{"kubernetes.io/hostname": "worker-1", "html": "<&>"},
		Annotations:             map[string]string{"line": "a\u2028b\nc"},
		WireguardPubKey:         "6NGzCkXx8qZK1UmqkgrDFjyXPCxU7oVjZsw4LSDJcRk=",
		BootID:                  "570d3fd1-0000-4000-8000-000000000000",
	}
}

// numbered is an identity as the apiserver derives it from a CiliumIdentity.
func numbered(id int, of map[string]string) *store.KVPair {
	return store.NewKVPair(strconv.Itoa(id), string(labels.Map2Labels(of, "").SortedList()))
}

func podLabels(app string) map[string]string {
	return map[string]string{
		"k8s:app":                                 app,
		"k8s:io.cilium.k8s.policy.cluster":        clusterName,
		"k8s:io.cilium.k8s.policy.serviceaccount": "default",
		"k8s:io.kubernetes.pod.namespace":         "shop",
	}
}

func addresses() []store.Key {
	host := net.ParseIP("192.0.2.7")
	return []store.Key{
		&identity.IPIdentityPair{
			IP: net.ParseIP("10.77.1.10"), HostIP: host, ID: firstID + 300, Key: 5, K8sNamespace: "shop", K8sPodName: "web-1",
			K8sServiceAccount: "default", NamedPorts: []identity.NamedPort{{Name: "http", Port: 8080, Protocol: "TCP"}},
		},
		&identity.IPIdentityPair{IP: net.ParseIP("fd77:1::10"), HostIP: host, ID: firstID + 301, K8sNamespace: "shop", K8sPodName: "web-1"},
		&identity.IPIdentityPair{IP: net.ParseIP("10.79.0.0").To4(), Mask: net.CIDRMask(16, 32), HostIP: host, ID: firstID + 300},
		&identity.IPIdentityPair{IP: net.ParseIP("10.77.1.2"), HostIP: host, ID: identity.ReservedIdentityHealth},
		&identity.IPIdentityPair{IP: net.ParseIP("10.77.1.1"), HostIP: host, ID: identity.ReservedIdentityHost},
	}
}

func fullService() *services.ClusterService {
	service := services.NewClusterService("web", "shop")
	service.Cluster, service.ClusterID = clusterName, clusterID
	port := func(protocol loadbalancer.L4Type, number uint16) *loadbalancer.L4Addr {
		return &loadbalancer.L4Addr{Protocol: protocol, Port: number}
	}
	service.Frontends["10.97.0.10"] = services.PortConfiguration{"http": port(loadbalancer.TCP, 80), "dns": port(loadbalancer.UDP, 53)}
	service.Backends["10.77.1.10"] = services.PortConfiguration{"http": port(loadbalancer.TCP, 8080), "dns": port(loadbalancer.UDP, 5353)}
	service.Backends["fd77:1::10"] = services.PortConfiguration{"": port(loadbalancer.SCTP, 9)}
	service.Hostnames["10.77.1.10"] = "web-1"
	service.Zones["10.77.1.10"] = services.BackendZone{Zone: "z1", ForZones: []services.ForZone{{Name: "z1"}, {Name: "z2"}}}
	service.Labels["app"], service.Selector["app"] = "web", "web"
	service.IncludeExternal, service.Shared = true, true
	return &service
}

func bareService() *services.ClusterService {
	return &services.ClusterService{Cluster: clusterName, ClusterID: clusterID, Namespace: "shop", Name: "bare", IncludeExternal: true, Shared: true}
}

func fullExport() *mcsapi.MCSAPIServiceSpec {
	timeout, application := int32(600), "kubernetes.io/h2c"
	local, near := corev1.ServiceInternalTrafficPolicyLocal, corev1.ServiceTrafficDistributionPreferSameZone
	return &mcsapi.MCSAPIServiceSpec{
		Cluster: clusterName, Namespace: "shop", Name: "web",
		Annotations:             map[string]string{"note": "exported"},
		Labels:                  map[string]string{"tier": "front"},
		ExportCreationTimestamp: metav1.NewTime(time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)),
		Ports: []mcsapiv1beta1.ServicePort{
			{Name: "http", Protocol: corev1.ProtocolTCP, AppProtocol: &application, Port: 80},
			{Port: 53, Protocol: corev1.ProtocolUDP},
		},
		Type:                  mcsapiv1beta1.Headless,
		SessionAffinity:       corev1.ServiceAffinityClientIP,
		SessionAffinityConfig: &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: &timeout}},
		IPFamilies:            []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol},
		InternalTrafficPolicy: &local,
		TrafficDistribution:   &near,
	}
}

func bareExport() *mcsapi.MCSAPIServiceSpec {
	return &mcsapi.MCSAPIServiceSpec{
		Cluster: clusterName, Namespace: "shop", Name: "bare",
		ExportCreationTimestamp: metav1.NewTime(time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)),
		Type:                    mcsapiv1beta1.ClusterSetIP,
		SessionAffinity:         corev1.ServiceAffinityNone,
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/cilium/cilium/pkg/clustermesh/clustercfg"
	mcsapi "github.com/cilium/cilium/pkg/clustermesh/mcsapi/types"
	services "github.com/cilium/cilium/pkg/clustermesh/store"
	cmtypes "github.com/cilium/cilium/pkg/clustermesh/types"
	"github.com/cilium/cilium/pkg/identity"
	"github.com/cilium/cilium/pkg/identity/cache"
	"github.com/cilium/cilium/pkg/ipcache"
	"github.com/cilium/cilium/pkg/kvstore"
	"github.com/cilium/cilium/pkg/kvstore/store"
	nodes "github.com/cilium/cilium/pkg/node/store"
	"github.com/cilium/cilium/pkg/source"
)

// record is one key as it stands in etcd, and what Cilium would write after having read it.
type record struct {
	Value     string `json:"value"`
	Rewritten string `json:"rewritten"`
}

// entry is what Cilium's ipcache is told of an address.
type entry struct {
	HostIP     string            `json:"hostIp"`
	Key        uint8             `json:"key"`
	Identity   uint32            `json:"identity"`
	Namespace  string            `json:"namespace"`
	Pod        string            `json:"pod"`
	NamedPorts map[string]string `json:"namedPorts,omitempty"`
}

// report is all that was made of a cluster. Records that Cilium refuses are under Refused by their whole keys.
type report struct {
	Module    string                       `json:"module"`
	Config    cmtypes.CiliumClusterConfig  `json:"config"`
	Heartbeat string                       `json:"heartbeat"`
	Records   map[string]map[string]record `json:"records"`
	Ipcache   map[string]entry             `json:"ipcache"`
	Refused   map[string]string            `json:"refused"`
	Warnings  []string                     `json:"warnings"`
}

// reader follows one cluster with all of Cilium's watchers.
type reader struct {
	client   kvstore.BackendOperations
	cluster  string
	cached   bool
	warnings *warnings

	mutex    sync.Mutex
	accepted map[string]map[string]string // kind → name → rewritten
	ipcache  map[string]entry
	synced   sync.WaitGroup
}

// kinds are the prefixes of what is exported, by our names of the kinds.
var kinds = map[string]string{
	"nodes":          nodes.NodeStorePrefix,
	"services":       services.ServiceStorePrefix,
	"serviceexports": mcsapi.ServiceExportStorePrefix,
	"ips":            ipcache.IPIdentitiesPath,
	"identities":     cache.IdentitiesPath,
}

// read connects as an agent of another cluster would, waits until every kind is synchronised, and compares that with all keys there are.
func read(ctx context.Context, client kvstore.BackendOperations, warnings *warnings, cluster string, cached bool) (*report, error) {
	config, err := clustercfg.Get(ctx, cluster, client)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s: %w", cluster, err)
	}
	own := cmtypes.ClusterInfo{Name: "judge", ID: 255, MaxConnectedClusters: 255}
	if err := own.ValidateRemoteConfig(config); err != nil {
		return nil, err
	}
	if !config.Capabilities.SyncedCanaries || config.Capabilities.Cached != cached || config.Capabilities.ServiceExportsEnabled == nil {
		return nil, fmt.Errorf("unexpected capabilities: %+v", config.Capabilities)
	}
	r := &reader{client: client, cluster: cluster, cached: cached, warnings: warnings,
		accepted: map[string]map[string]string{}, ipcache: map[string]entry{}}
	for kind := range kinds {
		r.accepted[kind] = map[string]string{}
	}
	if err := r.follow(ctx, config.ID); err != nil {
		return nil, err
	}
	return r.report(ctx, config)
}

// follow runs Cilium's watchers, each started by its canary, until all have listed what there is.
func (r *reader) follow(ctx context.Context, id uint32) error {
	factory := store.NewFactory(r.warnings.logger(), store.MetricsProvider())
	manager := factory.NewWatchStoreManager(r.client, r.cluster)
	done := func(context.Context) { r.synced.Done() }
	watch := func(kind string, creator store.KeyCreator, name func(store.NamedKey) string) {
		r.synced.Add(1)
		watcher := factory.NewWatchStore(r.cluster, creator, &observer{r, kind, name}, store.RWSWithOnSyncCallback(done))
		prefix := r.adapt(kinds[kind])
		manager.Register(prefix, func(ctx context.Context) { watcher.Watch(ctx, r.client, kvstore.JoinKey(prefix, r.cluster)) })
	}
	inCluster := func(key store.NamedKey) string { return strings.TrimPrefix(key.GetKeyName(), r.cluster+"/") }
	watch("nodes", nodes.ValidatingKeyCreator(nodes.ClusterNameValidator(r.cluster), nodes.NameValidator(), nodes.ClusterIDValidator(&id)), inCluster)
	watch("services", services.KeyCreator(services.ClusterNameValidator(r.cluster), services.NamespacedNameValidator(), services.ClusterIDValidator(&id)), inCluster)
	watch("serviceexports", mcsapi.KeyCreator(mcsapi.ClusterNameValidator(r.cluster), mcsapi.NamespacedNameValidator()), inCluster)

	// Addresses twice: what an agent's ipcache is told, and all fields of the records.
	r.synced.Add(2)
	told := ipcache.NewIPIdentityWatcher(r.warnings.logger(), r.cluster, r, factory, source.ClusterMesh, store.RWSWithOnSyncCallback(done))
	pair := func() store.Key { return &identity.IPIdentityPair{} }
	pairs := factory.NewWatchStore(r.cluster, pair, &observer{r, "ips", store.NamedKey.GetKeyName}, store.RWSWithOnSyncCallback(done))
	manager.Register(r.adapt(kinds["ips"]), func(ctx context.Context) {
		go pairs.Watch(ctx, r.client, r.ipPrefix())
		told.Watch(ctx, r.client, ipcache.WithCachedPrefix(r.cached), ipcache.WithIdentityValidator(id))
	})

	r.synced.Add(1)
	identities, err := r.identities(id)
	if err != nil {
		return err
	}
	manager.Register(r.adapt(kinds["identities"]), func(ctx context.Context) { identities.Watch(ctx, done) })

	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { manager.Run(running); close(ended) }()
	all := make(chan struct{})
	go func() { r.synced.Wait(); close(all) }()
	defer func() { stop(); <-ended }()
	select {
	case <-all:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("not every kind was synchronised: is a canary missing? accepted so far: %v", r.accepted)
	}
}

// adapt is Cilium's way from an exporter's prefix to a mirror's.
func (r *reader) adapt(prefix string) string {
	if r.cached {
		return kvstore.StateToCachePrefix(prefix)
	}
	return prefix
}

func (r *reader) ipPrefix() string {
	if r.cached {
		return kvstore.JoinKey(r.adapt(kinds["ips"]), r.cluster)
	}
	return kvstore.JoinKey(kinds["ips"], ipcache.DefaultAddressSpace)
}

func (r *reader) idPrefix() string {
	if r.cached {
		return kvstore.JoinKey(r.adapt(kinds["identities"]), r.cluster, "id")
	}
	return kvstore.JoinKey(kinds["identities"], "id")
}

// observer notes what a watch store accepted.
type observer struct {
	reader *reader
	kind   string
	name   func(store.NamedKey) string
}

func (o *observer) OnUpdate(key store.Key) {
	rewritten, err := key.Marshal()
	if err != nil {
		o.reader.warnings.logger().Error(err.Error())
		return
	}
	o.reader.accept(o.kind, o.name(key), string(rewritten))
}

func (o *observer) OnDelete(store.NamedKey) {}

func (r *reader) accept(kind, name, rewritten string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.accepted[kind][name] = rewritten
}

// Upsert is what Cilium's ipcache is told.
func (r *reader) Upsert(ip string, host net.IP, key uint8, meta *ipcache.K8sMetadata, id ipcache.Identity) (bool, error) {
	told := entry{HostIP: host.String(), Key: key, Identity: id.ID.Uint32()}
	if meta != nil {
		told.Namespace, told.Pod = meta.Namespace, meta.PodName
		for name, port := range meta.NamedPorts {
			if told.NamedPorts == nil {
				told.NamedPorts = map[string]string{}
			}
			told.NamedPorts[name] = fmt.Sprintf("%d/%d", port.Port, port.Proto)
		}
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.ipcache[ip] = told
	return false, nil
}

// Delete completes what an ipcache must be able to do.
func (r *reader) Delete(string, source.Source) bool { return false }

// report reads every key there is once more, and sets beside it what the watchers made of it.
func (r *reader) report(ctx context.Context, config cmtypes.CiliumClusterConfig) (*report, error) {
	out := &report{Config: config, Records: map[string]map[string]record{}, Ipcache: r.ipcache, Refused: map[string]string{}}
	prefixes := map[string]string{"ips": r.ipPrefix(), "identities": r.idPrefix()}
	for kind, prefix := range kinds {
		whole, ok := prefixes[kind]
		if !ok {
			whole = kvstore.JoinKey(r.adapt(prefix), r.cluster)
		}
		entries, err := r.client.ListPrefix(ctx, whole+"/")
		if err != nil {
			return nil, err
		}
		out.Records[kind] = map[string]record{}
		for key, value := range entries {
			name := strings.TrimPrefix(key, whole+"/")
			if rewritten, ok := r.accepted[kind][name]; ok {
				out.Records[kind][name] = record{string(value.Data), rewritten}
			} else {
				out.Refused[key] = string(value.Data)
			}
		}
	}
	heartbeat, err := r.client.Get(ctx, kvstore.HeartbeatPath)
	out.Heartbeat, out.Warnings = string(heartbeat), r.warnings.lines()
	if err == nil && len(heartbeat) == 0 {
		err = errors.New("there is no heartbeat")
	}
	return out, err
}

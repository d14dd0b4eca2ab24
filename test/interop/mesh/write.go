package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cilium/cilium/pkg/clustermesh/clustercfg"
	"github.com/cilium/cilium/pkg/identity/cache"
	"github.com/cilium/cilium/pkg/ipcache"
	"github.com/cilium/cilium/pkg/kvstore"
	"github.com/cilium/cilium/pkg/kvstore/store"
	"github.com/cilium/cilium/pkg/time"
)

// write exports a cluster with the stores, in the order and under the keys of Cilium's apiserver, and keeps its leases until stdin ends.
func write(ctx context.Context, client kvstore.BackendOperations, warnings *warnings) error {
	if err := clustercfg.Set(ctx, clusterName, clusterConfig(), client); err != nil {
		return err
	}
	now := []byte(time.Now().Format(time.RFC3339))
	if err := client.Update(ctx, kvstore.HeartbeatPath, now, true); err != nil {
		return err
	}
	running, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	defer func() { stop(); ended.Wait() }()
	for kind, records := range records() {
		if err := export(ctx, running, &ended, client, warnings, kind, records); err != nil {
			return fmt.Errorf("%s: %w; what Cilium said: %q", kind, err, warnings.lines())
		}
	}
	fmt.Println("written")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// export writes the records of a kind and then its canary. The store runs on, as it does in an apiserver.
func export(ctx, running context.Context, ended *sync.WaitGroup, client kvstore.BackendOperations, warnings *warnings, kind string, records []store.Key) error {
	prefix, options := kinds[kind], []store.WSSOpt{}
	switch kind {
	case "identities":
		prefix, options = kvstore.JoinKey(cache.IdentitiesPath, "id"), append(options, store.WSSWithSyncedKeyOverride(cache.IdentitiesPath))
	case "ips":
		prefix = kvstore.JoinKey(ipcache.IPIdentitiesPath, ipcache.DefaultAddressSpace)
		options = append(options, store.WSSWithSyncedKeyOverride(ipcache.IPIdentitiesPath))
	}
	factory := store.NewFactory(warnings.logger(), store.MetricsProvider())
	into := factory.NewSyncStore(clusterName, client, prefix, options...)
	ended.Go(func() { into.Run(running) })
	for _, record := range records {
		if err := into.UpsertKey(ctx, record); err != nil {
			return err
		}
	}
	synced := make(chan struct{})
	if err := into.Synced(ctx, func(context.Context) { close(synced) }); err != nil {
		return err
	}
	select {
	case <-synced:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

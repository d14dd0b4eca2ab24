// Command mesh speaks to an etcd with Cilium's own code, and judges what Isthmus writes there.
//
//	mesh read  --config etcd.yaml --cluster east [--cached]   prints as JSON all that Cilium's readers made of the cluster
//	mesh write --config etcd.yaml                             writes a cluster as Cilium's apiserver does; keeps it until stdin ends
//
// It is built from the module github.com/cilium/cilium; go.mod pins the version. Nothing of it is copied here.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/cilium/cilium/pkg/kvstore"
)

// How long anything may take: an etcd that misses a key or a canary would be waited for without end.
const timeout = 45 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mesh:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say read or write")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	config := flags.String("config", "", "etcd client configuration, as Cilium mounts it")
	cluster := flags.String("cluster", "", "name of the cluster to read")
	cached := flags.Bool("cached", false, "read the mirror of that cluster, as an agent beside KVStoreMesh does")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	warnings := newWarnings()
	client, err := connect(ctx, warnings, *config)
	if err != nil {
		return err
	}
	defer client.Close()
	switch args[0] {
	case "read":
		report, err := read(ctx, client, warnings, *cluster, *cached)
		if err != nil {
			return fmt.Errorf("%w; what Cilium said: %q", err, warnings.lines())
		}
		report.Module = module()
		return json.NewEncoder(os.Stdout).Encode(report)
	case "write":
		return write(ctx, client, warnings)
	default:
		return fmt.Errorf("say read or write, not %s", args[0])
	}
}

// connect opens Cilium's own etcd client as its agents do for a remote cluster.
func connect(ctx context.Context, warnings *warnings, config string) (kvstore.BackendOperations, error) {
	options := map[string]string{kvstore.EtcdOptionConfig: config}
	extra := kvstore.ExtraOptions{NoLockQuorumCheck: true, NoEndpointStatusChecks: true, ClusterName: "remote"}
	client, failed := kvstore.NewClient(ctx, warnings.logger(), kvstore.EtcdBackendName, options, extra)
	select {
	case err := <-failed:
		return client, err
	case <-ctx.Done():
		return client, fmt.Errorf("etcd does not answer: %w; what Cilium said: %q", ctx.Err(), warnings.lines())
	}
}

// module says which version of Cilium this program was built from.
func module() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == "github.com/cilium/cilium" {
			return dependency.Path + " " + dependency.Version
		}
	}
	return ""
}

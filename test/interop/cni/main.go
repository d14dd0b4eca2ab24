// A container runtime's side of CNI: containernetworking's own library calls our plugin, checks what it answers, and keeps its cache. Reads
// one request as JSON from standard input, prints what came of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strings"
	"sync"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

// What to do, with which of the networks of a folder, for which containers at once.
type request struct {
	Op       string
	Folder   string
	Network  string
	Plugins  []string
	Cache    string
	Runtimes []libcni.RuntimeConf
	// Attachments that stay, at GC; null is the empty list that a runtime without containers has.
	Valid []types.GCAttachment
}

type outcome struct {
	// In the version of the configuration, and in every version that the library can convert it to.
	Result      types.Result            `json:"result,omitempty"`
	Converted   map[string]types.Result `json:"converted,omitempty"`
	Cached      bool                    `json:"cached"`
	Attachments int                     `json:"attachments"`
	Versions    []string                `json:"versions,omitempty"`
	Error       *types.Error            `json:"error,omitempty"`
	Message     string                  `json:"message,omitempty"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatalf("the request cannot be read: %v", err)
	}
	list, err := libcni.LoadNetworkConf(asked.Folder, asked.Network)
	if err != nil {
		log.Fatalf("the network cannot be loaded: %v", err)
	}
	cni := libcni.NewCNIConfigWithCacheDir(asked.Plugins, asked.Cache, nil)
	if len(asked.Runtimes) == 0 {
		asked.Runtimes = []libcni.RuntimeConf{{}}
	}
	outcomes := make([]outcome, len(asked.Runtimes))
	var all sync.WaitGroup
	for i := range asked.Runtimes {
		all.Go(func() { outcomes[i] = do(cni, &asked, list, &asked.Runtimes[i]) })
	}
	all.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		log.Fatal(err)
	}
}

func do(cni *libcni.CNIConfig, asked *request, list *libcni.NetworkConfigList, runtime *libcni.RuntimeConf) outcome {
	var made outcome
	var err error
	ctx := context.Background()
	switch asked.Op {
	case "validate":
		_, err = cni.ValidateNetworkList(ctx, list)
		made.Versions = versions(ctx, cni, list)
	case "add":
		made.Result, err = cni.AddNetworkList(ctx, list, runtime)
		made.Converted = converted(made.Result)
	case "check":
		err = cni.CheckNetworkList(ctx, list, runtime)
	case "del":
		err = cni.DelNetworkList(ctx, list, runtime)
	case "gc":
		err = cni.GCNetworkList(ctx, list, &libcni.GCArgs{ValidAttachments: asked.Valid})
	case "status":
		err = cni.GetStatusNetworkList(ctx, list)
	default:
		log.Fatalf("unknown operation %q", asked.Op)
	}
	return describe(made, err, cni, list, runtime)
}

func describe(made outcome, err error, cni *libcni.CNIConfig, list *libcni.NetworkConfigList, runtime *libcni.RuntimeConf) outcome {
	if err != nil {
		made.Message = err.Error()
		errors.As(err, &made.Error)
	}
	if runtime.ContainerID != "" {
		cached, _ := cni.GetNetworkListCachedResult(list, runtime)
		made.Cached = cached != nil
	}
	attachments, _ := cni.GetCachedAttachments("")
	made.Attachments = len(attachments)
	return made
}

func versions(ctx context.Context, cni *libcni.CNIConfig, list *libcni.NetworkConfigList) []string {
	info, err := cni.GetVersionInfo(ctx, list.Plugins[0].Network.Type)
	if err != nil {
		return []string{err.Error()}
	}
	return info.SupportedVersions()
}

// Every version that the library knows, so that what it cannot convert is seen.
func converted(result types.Result) map[string]types.Result {
	if result == nil {
		return nil
	}
	all := map[string]types.Result{}
	for _, each := range version.All.SupportedVersions() {
		other, err := result.GetAsVersion(each)
		if err != nil && !strings.HasPrefix(each, "0.1") && !strings.HasPrefix(each, "0.2") {
			log.Fatalf("%s cannot be converted to %s: %v", result.Version(), each, err)
		}
		if err == nil {
			all[each] = other
		}
	}
	return all
}

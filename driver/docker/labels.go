package docker

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/filters"

	"understudy/driver"
)

// The labels of our containers. What a worker is, they tell; nothing else does.
const (
	labelInstance     = "understudy.instance"
	labelPool         = "understudy.pool"
	labelWorker       = "understudy.worker"
	labelCapabilities = "understudy.capabilities" // separated by commas
	labelPort         = "understudy.port"         // on the host
	labelInside       = "understudy.inside"       // the port inside, of those that have none on the host and are reached by their address
	labelGeneration   = "understudy.generation"
	labelSpec         = "understudy.spec"         // hash of the configuration that makes the worker
	labelNetwork      = "understudy.network"      // on networks: open or sealed
	labelWorkerImage  = "understudy.worker-image" // on images: hash of the program inside
)

func (d *Driver) labels(spec driver.Spec) map[string]string {
	labels := map[string]string{
		labelInstance:     d.instance,
		labelPool:         spec.Pool,
		labelWorker:       spec.Worker,
		labelCapabilities: strings.Join(spec.Capabilities, ","),
		labelPort:         strconv.Itoa(spec.HostPort),
		labelGeneration:   spec.Generation,
		labelSpec:         spec.Hash,
	}
	if spec.Publish == driver.PublishNetwork {
		labels[labelPort], labels[labelInside] = "0", strconv.Itoa(insidePort(spec))
	}
	return labels
}

// containerName is unique as the worker's short id is.
func (d *Driver) containerName(spec driver.Spec) string {
	return fmt.Sprintf("understudy-%s-%s-%s", d.instance, spec.Pool, spec.Worker)
}

// mine selects what belongs to this instance.
func (d *Driver) mine() filters.Args {
	return filters.NewArgs(filters.Arg("label", labelInstance+"="+d.instance))
}

// fromLabels is the part of an instance that its labels tell.
func fromLabels(id string, labels map[string]string) driver.Instance {
	inst := driver.Instance{
		ID:         driver.ID(id),
		Pool:       labels[labelPool],
		Worker:     labels[labelWorker],
		Generation: labels[labelGeneration],
		Hash:       labels[labelSpec],
	}
	if list := labels[labelCapabilities]; list != "" {
		inst.Capabilities = strings.Split(list, ",")
	}
	if port, err := strconv.Atoi(labels[labelPort]); err == nil && port > 0 {
		inst.HostPort = port
		inst.Address = fmt.Sprintf("http://%s:%d", loopback, port)
	}
	return inst
}

// loopback is the only address workers are published on.
const loopback = "127.0.0.1"

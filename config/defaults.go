package config

import (
	"reflect"
	"time"
)

// Defaults is what is in force when nobody says anything; the shipped config.yaml gives the same. Each call makes a new one.
func Defaults() *Config {
	general := DefaultPool()
	general.Name = "general"
	general.Capabilities = []string{"mult", "add"}
	return &Config{
		Listen:   "127.0.0.1:8080",
		TLS:      TLS{MinVersion: "1.2"},
		Admin:    "127.0.0.1:8081",
		Driver:   "auto",
		Instance: "default",
		OnExit:   "remove",
		Guard:    60 * time.Second,
		Publish:  "loopback",
		Ports:    Ports{From: 20000, To: 20063},
		Limits:   Limits{Header: 32 << 10, Idle: 60 * time.Second},
		Log:      Log{Level: "info", Format: "auto", Access: "off"},
		Pools:    []Pool{general},
	}
}

// DefaultPool is what a pool starts from. Name and Capabilities are left to whoever uses it.
func DefaultPool() Pool {
	return Pool{
		Pull:        "missing",
		Port:        8080,
		Concurrency: 1,
		Ramp:        10 * time.Second,
		Target:      Target{Latency: 300 * time.Millisecond, Percentile: 95},
		Workers:     Workers{Min: 1, Max: 8, Spare: 1, SpareMax: 1, SpareMode: SpareRunning},
		Pick:        "round-robin",
		Queue:       Queue{Length: 1000},
		Timeout:     30 * time.Second,
		IdleTimeout: 60 * time.Second,
		Eject:       Eject{Failures: 5, Time: 30 * time.Second},
		Ready:       Ready{Path: "/", Status: "200-499", Timeout: 30 * time.Second, Identity: "auto"},
		Drain:       30 * time.Second,
		Security:    "auto",
		Resources:   Resources{Memory: 512 << 20, CPUs: 1, Pids: 256},
		Logs:        Logs{Size: 10 << 20, Files: 3},
	}
}

// complete fills in what a pool in a file does not say. Most defaults are fixed; three follow from what the pool does say:
//
//   - capabilities of the worker inside this binary are mult and add; anybody else's must be named;
//   - with fixed members and nothing to start, workers.max is 0, and with workers.max 0 all of workers is;
//   - spare_max is spare: the number of spares does not grow unless asked to.
func complete(given map[string]any) map[string]any {
	p := DefaultPool()
	started, members := says(given["image"]) || says(given["command"]), says(given["members"])
	if !started && !members {
		p.Capabilities = []string{"mult", "add"}
	}
	workers, _ := given["workers"].(map[string]any)
	if members && !started {
		p.Workers.Max = 0
	}
	if most, ok := workers["max"].(int); ok {
		p.Workers.Max = most
	}
	if p.Workers.Max == 0 {
		p.Workers = Workers{SpareMode: p.Workers.SpareMode}
	}
	if spare, ok := workers["spare"].(int); ok {
		p.Workers.SpareMax = spare
	}
	out := toMap(reflect.ValueOf(p))
	overlay(out, given)
	return out
}

// says tells whether a text or a list of texts is there and not empty.
func says(v any) bool {
	text, _ := v.(string)
	list, _ := v.([]string)
	return text != "" || len(list) > 0
}

package scaler

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// HostCPU measures how busy the host is from the kernel's counters. It is what Options.HostCPU wants; where the counters cannot be read it is -1.
type HostCPU struct {
	read func() ([]byte, error)
	now  func() time.Time

	mu      sync.Mutex
	samples []cpuSample // of the last 2 s and one before, oldest first
}

type cpuSample struct {
	at          time.Time
	busy, total float64
}

const cpuWindow = 2 * time.Second

// NewHostCPU reads /proc/stat.
func NewHostCPU() *HostCPU {
	return &HostCPU{read: func() ([]byte, error) { return os.ReadFile("/proc/stat") }, now: time.Now}
}

// Busy is the mean over about the last 2 s, from 0 to 1; -1 until two readings are far enough apart, or when there is nothing to read.
func (h *HostCPU) Busy() float64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	busy, total, ok := h.counters()
	if !ok {
		return -1
	}
	now := h.now()
	h.samples = append(h.samples, cpuSample{now, busy, total})
	for len(h.samples) > 2 && now.Sub(h.samples[1].at) >= cpuWindow {
		h.samples = h.samples[1:]
	}
	first := h.samples[0]
	if total-first.total <= 0 || now.Sub(first.at) < cpuWindow/2 {
		return -1
	}
	return (busy - first.busy) / (total - first.total)
}

// counters sums the first line of /proc/stat: user nice system idle iowait irq softirq steal; idle and iowait are not busy.
func (h *HostCPU) counters() (busy, total float64, ok bool) {
	raw, err := h.read()
	if err != nil {
		return 0, 0, false
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[0] != "cpu" {
		return 0, 0, false
	}
	for i, field := range fields[1:min(len(fields), 9)] {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, 0, false
		}
		total += v
		if i != 3 && i != 4 {
			busy += v
		}
	}
	return busy, total, true
}

package tracing

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// settings is what the OTEL_* variables say.
type settings struct {
	on         bool
	endpoint   string // where spans are sent to, path included
	headers    map[string]string
	timeout    time.Duration // for one request to the collector
	service    string
	attributes []attribute.KeyValue
	sampler    sdk.Sampler
}

// lookUp finds the last value of a variable. An empty one counts as not set, as the standard has it.
func lookUp(env []string, key string) string {
	value := ""
	for _, kv := range env {
		if name, v, ok := strings.Cut(kv, "="); ok && name == key {
			value = strings.TrimSpace(v)
		}
	}
	return value
}

// first is the first of some variables that is set, and its name.
func first(env []string, keys ...string) (key, value string) {
	for _, key := range keys {
		if v := lookUp(env, key); v != "" {
			return key, v
		}
	}
	return "", ""
}

// read reads the variables. An error is one sentence that names the variable.
func read(env []string) (settings, error) {
	s := settings{service: "understudy", timeout: 10 * time.Second}
	disabled, err := flag(env, "OTEL_SDK_DISABLED")
	exporter := lookUp(env, "OTEL_TRACES_EXPORTER")
	_, at := first(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	switch {
	case err != nil:
		return s, err
	case exporter != "" && exporter != "otlp" && exporter != "none":
		return s, wrong("OTEL_TRACES_EXPORTER", exporter, "otlp or none")
	case disabled, exporter == "none", exporter == "" && at == "":
		return s, nil
	}
	s.on = true
	for _, step := range []func([]string) error{s.readEndpoint, s.readProtocol, s.readHeaders, s.readTimeout, s.readResource, s.readSampler} {
		if err := step(env); err != nil {
			return s, err
		}
	}
	return s, nil
}

func wrong(key, value, legal string) error {
	return fmt.Errorf("%s is %q: it must be %s", key, value, legal)
}

func flag(env []string, key string) (bool, error) {
	switch v := lookUp(env, key); strings.ToLower(v) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, wrong(key, v, "true or false")
	}
}

func (s *settings) readEndpoint(env []string) error {
	const legal = "the URL of a collector, such as http://localhost:4318"
	key, value := first(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if value == "" {
		key, value = "OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return wrong(key, value, legal)
	}
	if key == "OTEL_EXPORTER_OTLP_ENDPOINT" {
		u = u.JoinPath("v1", "traces")
	}
	s.endpoint = u.String()
	return nil
}

func (s *settings) readProtocol(env []string) error {
	key, value := first(env, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	if value != "" && value != "http/protobuf" {
		return wrong(key, value, "http/protobuf, which is what understudy speaks")
	}
	return nil
}

func (s *settings) readHeaders(env []string) error {
	key, value := first(env, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
	list, ok := pairs(value)
	if !ok {
		return fmt.Errorf("%s cannot be read: it must be name=value,name=value", key) // the values are secrets
	}
	s.headers = map[string]string{}
	for _, p := range list {
		s.headers[p[0]] = p[1]
	}
	return nil
}

func (s *settings) readTimeout(env []string) error {
	key, value := first(env, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
	if value == "" {
		return nil
	}
	ms, err := strconv.Atoi(value)
	if err != nil || ms < 1 || ms > 600_000 {
		return wrong(key, value, "1 to 600000 milliseconds")
	}
	s.timeout = time.Duration(ms) * time.Millisecond
	return nil
}

func (s *settings) readResource(env []string) error {
	value := lookUp(env, "OTEL_RESOURCE_ATTRIBUTES")
	list, ok := pairs(value)
	if !ok {
		return wrong("OTEL_RESOURCE_ATTRIBUTES", value, "name=value,name=value")
	}
	for _, p := range list {
		if p[0] == "service.name" {
			s.service = p[1]
			continue
		}
		s.attributes = append(s.attributes, attribute.String(p[0], p[1]))
	}
	if name := lookUp(env, "OTEL_SERVICE_NAME"); name != "" {
		s.service = name
	}
	return nil
}

func (s *settings) readSampler(env []string) error {
	name, arg := lookUp(env, "OTEL_TRACES_SAMPLER"), lookUp(env, "OTEL_TRACES_SAMPLER_ARG")
	ratio := 1.0
	if strings.HasSuffix(name, "traceidratio") && arg != "" {
		r, err := strconv.ParseFloat(arg, 64)
		if err != nil || !(r >= 0 && r <= 1) {
			return wrong("OTEL_TRACES_SAMPLER_ARG", arg, "a share from 0 to 1")
		}
		ratio = r
	}
	root, parented := strings.CutPrefix(name, "parentbased_")
	switch root {
	case "", "always_on":
		s.sampler = sdk.AlwaysSample()
	case "always_off":
		s.sampler = sdk.NeverSample()
	case "traceidratio":
		s.sampler = sdk.TraceIDRatioBased(ratio)
	default:
		return wrong("OTEL_TRACES_SAMPLER", name, "always_on, always_off, traceidratio, or one of these behind parentbased_")
	}
	if parented || name == "" {
		s.sampler = sdk.ParentBased(s.sampler)
	}
	return nil
}

// pairs reads name=value,name=value, percent-encoded. It reports false for anything else.
func pairs(text string) (list [][2]string, ok bool) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, found := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !found || name == "" || err != nil {
			return nil, false
		}
		list = append(list, [2]string{name, value})
	}
	return list, true
}

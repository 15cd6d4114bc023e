package tracing

import (
	"log/slog"
	"strings"
	"testing"
)

const somewhere = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"

func TestNothingRunsUnlessItIsAskedFor(t *testing.T) {
	for _, env := range []string{
		"", "OTEL_SERVICE_NAME=x", "OTEL_TRACES_EXPORTER=none " + somewhere, "OTEL_SDK_DISABLED=TRUE " + somewhere, "OTEL_EXPORTER_OTLP_ENDPOINT=",
	} {
		if tracing, err := New(strings.Fields(env), "", "", slog.New(slog.DiscardHandler)); tracing != nil || err != nil {
			t.Errorf("%q: %v, %v", env, tracing, err)
		}
	}
	var off *Tracing
	off.Close()
	for _, env := range []string{somewhere, "OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://a/b", "OTEL_SDK_DISABLED=false " + somewhere} {
		if s, err := read(strings.Fields(env)); err != nil || !s.on {
			t.Errorf("%q: off, %v", env, err)
		}
	}
}

func TestAWrongValueIsOneSentenceThatNamesTheVariable(t *testing.T) {
	for env, says := range map[string]string{
		"OTEL_TRACES_EXPORTER=zipkin":                                             `OTEL_TRACES_EXPORTER is "zipkin"`,
		"OTEL_SDK_DISABLED=yes":                                                   `OTEL_SDK_DISABLED is "yes"`,
		"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318":                              "OTEL_EXPORTER_OTLP_ENDPOINT",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=ftp://x/":                             "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
		somewhere + " OTEL_EXPORTER_OTLP_PROTOCOL=grpc":                           "http/protobuf",
		somewhere + " OTEL_EXPORTER_OTLP_HEADERS=hush":                            "OTEL_EXPORTER_OTLP_HEADERS",
		somewhere + " OTEL_EXPORTER_OTLP_TIMEOUT=10s":                             "milliseconds",
		somewhere + " OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=0":                        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
		somewhere + " OTEL_RESOURCE_ATTRIBUTES=a":                                 "OTEL_RESOURCE_ATTRIBUTES",
		somewhere + " OTEL_TRACES_SAMPLER=sometimes":                              "OTEL_TRACES_SAMPLER",
		somewhere + " OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=2": "OTEL_TRACES_SAMPLER_ARG",
	} {
		_, err := New(strings.Fields(env), "", "", slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", env, err)
		}
	}
}

func TestWhereSpansAreSent(t *testing.T) {
	for env, want := range map[string]string{
		"OTEL_TRACES_EXPORTER=otlp":                                          "http://localhost:4318/v1/traces",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/base/":                    "http://c:4318/base/v1/traces",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/mine " + somewhere: "http://c:4318/mine",
	} {
		if s, err := read(strings.Fields(env)); err != nil || s.endpoint != want {
			t.Errorf("%q: %s, %v", env, s.endpoint, err)
		}
	}
}

func TestSamplersByTheirNames(t *testing.T) {
	for env, want := range map[string]string{
		"": "ParentBased{root:AlwaysOnSampler", "OTEL_TRACES_SAMPLER=always_on": "AlwaysOnSampler", "OTEL_TRACES_SAMPLER=always_off": "AlwaysOffSampler",
		"OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=0.25": "TraceIDRatioBased{0.25}",
		"OTEL_TRACES_SAMPLER=parentbased_always_off":                    "ParentBased{root:AlwaysOffSampler",
	} {
		s, err := read(append(strings.Fields(env), somewhere))
		if err != nil || !strings.HasPrefix(s.sampler.Description(), want) {
			t.Errorf("%q: %v, %v", env, s.sampler, err)
		}
	}
}

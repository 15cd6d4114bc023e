package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"understudy/fleet"
)

func TestAGaugeThatCannotBeShownDoesNotHideTheRest(t *testing.T) {
	m := used(t)
	m.Collect(Sources{Pools: func() []fleet.PoolStatus {
		return append([]fleet.PoolStatus{{Name: "bad\xff", Desired: 1}}, onePool()...)
	}})
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `understudy_workers_desired{pool="general"} 3`) {
		t.Errorf("status %d, body without the good pool:\n%s", rec.Code, rec.Body)
	}
}

func TestHistogramsHaveClassicAndNativeBuckets(t *testing.T) {
	got, err := used(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got {
		if f.GetName() != namespace+"_request_duration_seconds" {
			continue
		}
		h := f.Metric[0].Histogram
		if h.Schema == nil || len(h.PositiveSpan) == 0 {
			t.Error("no native buckets")
		}
		first, last := h.Bucket[0].GetUpperBound(), h.Bucket[len(h.Bucket)-1].GetUpperBound()
		if first != 0.005 || last != 10 {
			t.Errorf("classic buckets from %v to %v, want 0.005 to 10", first, last)
		}
		return
	}
	t.Error("no request_duration_seconds")
}

func TestHandlerSpeaksTextAndOpenMetrics(t *testing.T) {
	m := used(t)
	for accept, want := range map[string]string{
		"": "text/plain", "application/openmetrics-text;version=1.0.0": "application/openmetrics-text",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf",
	} {
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Header.Set("Accept", accept)
		rec := httptest.NewRecorder()
		m.Handler().ServeHTTP(rec, r)
		if got := rec.Header().Get("Content-Type"); rec.Code != http.StatusOK || !strings.HasPrefix(got, want) {
			t.Errorf("Accept %q: status %d, Content-Type %q, want %q", accept, rec.Code, got, want)
		}
	}
}

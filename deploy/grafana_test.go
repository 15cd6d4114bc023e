package deploy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

type dashboard struct {
	ID            *int
	UID, Title    string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type string }
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               source
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		RefID, Expr string
		Datasource  source
	}
}

type source struct{ Type, UID string }

func theDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	text := read(t, "grafana/dashboards/understudy.json")
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "${DS_") || strings.Contains(text, "__inputs") {
		t.Error("the dashboard asks for a data source at its import; the variable does that")
	}
	return d
}

// TestTheDashboardLoadsWithoutEdits: no id of somebody's Grafana, no data source but the one chosen, the variables there are.
func TestTheDashboardLoadsWithoutEdits(t *testing.T) {
	d := theDashboard(t)
	if d.ID != nil || d.UID != "understudy" || d.Title == "" || d.SchemaVersion < 39 {
		t.Errorf("id %v, uid %q, title %q, schema %d", d.ID, d.UID, d.Title, d.SchemaVersion)
	}
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	if !slices.Equal(variables, []string{"datasource", "instance", "pool"}) {
		t.Errorf("variables %q", variables)
	}
	chosen := source{"prometheus", "${datasource}"}
	for _, p := range d.Panels {
		if p.Type != "row" && (p.Datasource != chosen || len(p.Targets) == 0) {
			t.Errorf("panel %q: data source %v, %d queries", p.Title, p.Datasource, len(p.Targets))
		}
		refs := map[string]bool{}
		for _, q := range p.Targets {
			if q.Datasource != chosen || refs[q.RefID] || !strings.Contains(q.Expr, `instance=~"$instance"`) {
				t.Errorf("panel %q, query %q: data source %v, %s", p.Title, q.RefID, q.Datasource, q.Expr)
			}
			refs[q.RefID] = true
		}
	}
}

func TestTheDashboardHasItsRowsAndNoPanelCoversAnother(t *testing.T) {
	d := theDashboard(t)
	var rows []string
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
		}
		if ids[p.ID] || p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: id %d, place %+v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, ok := taken[cell]; ok {
					t.Fatalf("panels %q and %q share a place", other, p.Title)
				}
				taken[cell] = p.Title
			}
		}
	}
	want := []string{"Latency against the target", "Rate and errors", "Workers", "Queue", "Starts", "Ports and engine", "Decisions", "The balancer's own process"}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
}

// TestGrafanaFindsItsDashboard: the data source and the folder of the dashboards are where the compose file puts them.
func TestGrafanaFindsItsDashboard(t *testing.T) {
	sources := readYAML[struct {
		Datasources []struct{ Type, URL string }
	}](t, "grafana/provisioning/datasources/prometheus.yml")
	providers := readYAML[struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}](t, "grafana/provisioning/dashboards/understudy.yml")
	if len(sources.Datasources) != 1 || len(providers.Providers) != 1 {
		t.Fatalf("%+v %+v", sources, providers)
	}
	services := composeFile(t).Services
	listen := "--web.listen-address=" + strings.TrimPrefix(sources.Datasources[0].URL, "http://")
	if !slices.Contains(services["prometheus"].Command, listen) {
		t.Errorf("Prometheus is not told %s", listen)
	}
	if mount := "./grafana/dashboards:" + providers.Providers[0].Options.Path + ":ro"; !slices.Contains(services["grafana"].Volumes, mount) {
		t.Errorf("Grafana has no volume %s", mount)
	}
}

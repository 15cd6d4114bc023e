package deploy

import (
	"regexp"
	"strings"
	"testing"
)

func TestPrometheusTakesTheConfigurationAndTheRules(t *testing.T) {
	tool(t, "prometheus", "promtool", "check", "config", "prometheus.yml")
	tool(t, "prometheus", "promtool", "check", "rules", "rules.yml", "alerts.yml")
}

func TestEveryAlertFiresWhenItShouldAndNotElse(t *testing.T) {
	tool(t, "prometheus", "promtool", "test", "rules", "alerts_test.yml")
}

type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Record, Alert, Expr string
			Labels, Annotations map[string]string
		}
	}
}

type ruleTests struct {
	Tests []struct {
		AlertRuleTest []struct {
			Alertname string
			ExpAlerts []any `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// TestEveryAlertIsTestedBothWaysAndExplained: one that never fired, or that nobody knows what to do about, is noise.
func TestEveryAlertIsTestedBothWaysAndExplained(t *testing.T) {
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range readYAML[ruleTests](t, "prometheus/alerts_test.yml").Tests {
		for _, c := range test.AlertRuleTest {
			if len(c.ExpAlerts) > 0 {
				fires[c.Alertname] = true
			} else {
				quiet[c.Alertname] = true
			}
		}
	}
	guide := read(t, "../docs/MONITORING.md")
	n := 0
	for _, g := range readYAML[ruleFile](t, "prometheus/alerts.yml").Groups {
		for _, r := range g.Rules {
			n++
			if !fires[r.Alert] || !quiet[r.Alert] {
				t.Errorf("%s: tested to fire %t, tested not to fire %t", r.Alert, fires[r.Alert], quiet[r.Alert])
			}
			if !strings.Contains(guide, "\n### "+r.Alert+"\n") || r.Annotations["runbook"] != "docs/MONITORING.md#"+strings.ToLower(r.Alert) {
				t.Errorf("%s: docs/MONITORING.md does not say what to do, or %q does not lead there", r.Alert, r.Annotations["runbook"])
			}
			if s := r.Labels["severity"]; s != "warning" && s != "critical" || r.Annotations["summary"] == "" {
				t.Errorf("%s: severity %q, summary %q", r.Alert, s, r.Annotations["summary"])
			}
		}
	}
	if n != len(fires) || n < 10 {
		t.Errorf("%d alerts, %d are tested", n, len(fires))
	}
}

// TestRulesAndDashboardNameOnlyMetricsThatExist, so that a typing mistake is no panel that is empty for ever.
func TestRulesAndDashboardNameOnlyMetricsThatExist(t *testing.T) {
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^## `(understudy_\\w+)`$").FindAllStringSubmatch(read(t, "../docs/metrics.md"), -1) {
		documented[m[1]] = true
	}
	if len(documented) < 20 {
		t.Fatalf("%d metrics are documented", len(documented))
	}
	recorded := regexp.MustCompile(`pool:\w+:\w+`)
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	for _, path := range []string{"prometheus/rules.yml", "prometheus/alerts.yml", "grafana/dashboards/understudy.json"} {
		text := recorded.ReplaceAllString(read(t, path), "")
		for _, name := range regexp.MustCompile(`understudy_\w+`).FindAllString(text, -1) {
			if !documented[name] && !documented[suffix.ReplaceAllString(name, "")] {
				t.Errorf("%s: there is no metric %s", path, name)
			}
		}
	}
}

func TestRulesUseOnlyWhatIsRecorded(t *testing.T) {
	recorded := map[string]bool{}
	var exprs []string
	for _, path := range []string{"prometheus/rules.yml", "prometheus/alerts.yml"} {
		for _, g := range readYAML[ruleFile](t, path).Groups {
			for _, r := range g.Rules {
				recorded[r.Record] = true
				exprs = append(exprs, r.Expr)
			}
		}
	}
	for _, expr := range exprs {
		for _, name := range regexp.MustCompile(`pool:\w+:\w+`).FindAllString(expr, -1) {
			if !recorded[name] {
				t.Errorf("nothing records %s", name)
			}
		}
	}
}

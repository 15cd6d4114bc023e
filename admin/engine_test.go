package admin

import (
	"strings"
	"testing"
	"time"

	"understudy/scaler"
)

const hostileError = "refused\x1b[2J\r\nforged: line"

func TestAnEngineThatIsAwayIsInTheStatusAndInEveryText(t *testing.T) {
	s := newStage(t)
	engine := scaler.EngineStatus{Since: s.at}
	s.Engine = func() scaler.EngineStatus { return engine }
	v := newView(s.Options)
	texts := func() (out []string) {
		var b strings.Builder
		if err := RenderStatus(&b, v.status(), 80, false); err != nil {
			t.Fatal(err)
		}
		return []string{b.String(), new(Watch).Frame(View{Status: v.status(), At: s.at, Width: 160})}
	}
	for _, text := range texts() {
		if strings.Contains(text, "engine") {
			t.Errorf("an engine that is there is spoken of:\n%s", text)
		}
	}
	engine = scaler.EngineStatus{Away: true, Since: s.at, Error: hostileError}
	s.at = s.at.Add(34 * time.Second)
	if got := v.status().Engine; got.State != "away" || got.SinceS != 34 || got.Error != hostileError {
		t.Errorf("status: %+v", got)
	}
	for _, text := range texts() {
		if !strings.Contains(text, "away for 34") || !strings.Contains(text, "refused") || strings.Contains(text, "\nforged") || strings.Contains(text, "\x1b") {
			t.Errorf("it is not said, or what it said is not escaped:\n%s", text)
		}
	}
	engine = scaler.EngineStatus{Since: s.at, Stuck: 3}
	for _, text := range texts() {
		if !strings.Contains(text, "does not remove 3 workers") {
			t.Errorf("not said:\n%s", text)
		}
	}
}

// How long it has been so changes all the time and is no news.
func TestStreamsAreToldOfTheEngineOnceAndNotEachSecond(t *testing.T) {
	up := Head{Engine: Engine{State: "up", SinceS: 1}}
	later, away := up, up
	later.Engine.SinceS = 2
	away.Engine = Engine{State: "away", SinceS: 2, Error: "refused"}
	if !sameHead(up, later) || sameHead(up, away) {
		t.Errorf("later is news: %v; away is news: %v", !sameHead(up, later), !sameHead(up, away))
	}
}

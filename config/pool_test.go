package config

import "testing"

func TestKindsOfPools(t *testing.T) {
	image, command, members := "img", []string{"run"}, []string{"http://h:1"}
	for _, c := range []struct {
		name                         string
		pool                         Pool
		builtIn, membersOnly, scaled bool
		level                        string
	}{
		{"nothing", Pool{}, true, false, true, "strict"},
		{"an image", Pool{Image: image}, false, false, true, "standard"},
		{"a command", Pool{Command: command}, false, false, true, "standard"},
		{"members", Pool{Members: members}, false, true, false, "standard"},
		{"members and an image", Pool{Members: members, Image: image}, false, false, true, "standard"},
		{"members and a command", Pool{Members: members, Command: command}, false, false, true, "standard"},
		{"auto", Pool{Security: "auto"}, true, false, true, "strict"},
		{"an image, strict", Pool{Image: image, Security: "strict"}, false, false, true, "strict"},
		{"built in, standard", Pool{Security: "standard"}, true, false, true, "standard"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.pool
			p.Workers.Max = 1
			if p.BuiltIn() != c.builtIn || p.MembersOnly() != c.membersOnly || p.Scaled() != c.scaled || p.SecurityLevel() != c.level {
				t.Errorf("built in %v, members only %v, scaled %v, %s", p.BuiltIn(), p.MembersOnly(), p.Scaled(), p.SecurityLevel())
			}
			p.Workers.Max = 0
			if p.Scaled() {
				t.Error("scaled with a max of 0")
			}
		})
	}
}

func TestStatusRange(t *testing.T) {
	for text, want := range map[string][2]int{
		"200": {200, 200}, "200-499": {200, 499}, "100-599": {100, 599}, "404-404": {404, 404},
		"": {200, 499}, "nonsense": {200, 499}, "300-200": {200, 499}, "200-": {200, 499}, "-200": {200, 499},
	} {
		if lo, hi := (Ready{Status: text}).StatusRange(); lo != want[0] || hi != want[1] {
			t.Errorf("%q is %d to %d, want %d to %d", text, lo, hi, want[0], want[1])
		}
	}
}

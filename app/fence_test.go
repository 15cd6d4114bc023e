package app

import (
	"reflect"
	"testing"

	"understudy/admin"
	"understudy/config"
)

func TestTheStatusSaysHowFarWorkersAreFencedIn(t *testing.T) {
	own := config.DefaultPool()
	image := config.DefaultPool()
	image.Image, image.CapAdd = "x", []string{"NET_RAW"}
	members := config.DefaultPool()
	members.Members, members.Workers = []string{"http://h:1"}, config.Workers{}
	for _, c := range []struct {
		pool   config.Pool
		driver string
		want   admin.Security
	}{
		{own, "docker", admin.Security{Level: "strict"}},
		{image, "docker", admin.Security{Level: "standard", Relaxed: []string{"cap_add: NET_RAW"}}},
		{image, "process", admin.Security{Level: "none"}},
		{members, "docker", admin.Security{}},
	} {
		if got := fence(c.pool, c.driver); !reflect.DeepEqual(got, c.want) {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

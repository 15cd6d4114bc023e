package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Source is everything a configuration is made of. Flags win over environment, environment over the file, the file over defaults.
type Source struct {
	File      string         // path of a YAML file; empty: Default is read in its place
	Default   []byte         // the shipped config.yaml; empty: the defaults in code, which are the same
	Env       []string       // KEY=value, as os.Environ has them; only UNDERSTUDY_… is looked at, an empty value is as good as none
	Overrides map[string]any // from flags: "listen", "on_exit", "ports.from"; the values may be texts or typed
}

// Load makes a Config of a Source, or says everything that is wrong with it: the error is then Problems. It keeps nothing between
// calls and may be called concurrently.
func Load(src Source) (*Config, error) {
	r := newReport()
	file := loadFile(src, r)
	env := loadEnv(src.Env, r)
	flags := loadFlags(src.Overrides, r)
	cfg, err := layered(file, env, flags)
	if err != nil { // the decoder let something through that the structs do not take: a mistake of ours
		r.failAt(origin{}, "", fmt.Sprintf("the configuration cannot be put together: %v", err), "")
		cfg, r.fatal = Defaults(), true
	}
	if !r.fatal {
		validate(cfg, r)
	}
	var pools []string
	for _, p := range cfg.Pools {
		pools = append(pools, p.Name)
	}
	if err := r.err(pools); err != nil {
		return nil, err
	}
	return cfg, nil
}

// loadFile yields what the file gives, as typed values by key.
func loadFile(src Source, r *report) map[string]any {
	text, name := src.Default, "the built-in config.yaml"
	if src.File != "" {
		var err error
		if text, err = readFile(src.File); err != nil {
			r.fatal = true
			r.failAt(origin{where: src.File}, "", "cannot be read: "+reason(err), "a readable YAML file")
			return nil
		}
		name = src.File
	} else if len(text) == 0 {
		return nil
	}
	root := parse(text, name, r)
	if root == nil || root.ShortTag() == "!!null" {
		return nil
	}
	d := decoder{r, func(n *yaml.Node) origin { return at(name, n.Line) }}
	if root = content(root); root.Kind != yaml.MappingNode {
		r.fatal = true
		d.failAt(d.from(root), "", "is not a mapping", "keys at the top: "+names(reflect.TypeFor[Config]()))
		return nil
	}
	return d.object(root, reflect.TypeFor[Config](), "")
}

// readFile reads no more than it takes to see that there is too much.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, mostBytes+1))
}

// reason is the cause of a failed file operation without the path, which the problem names already.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}

// delimiter keeps viper from taking keys apart: none of ours has it, and those with dots stay whole.
const delimiter = "::"

// layered lets viper lay the layers over each other and mapstructure fill the structs. The viper is new each time: one that is
// loaded into again keeps what the file no longer says.
func layered(file, env map[string]any, flags map[string]any) (*Config, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	for key, value := range toMap(reflect.ValueOf(*Defaults())) {
		v.SetDefault(key, value)
	}
	for _, layer := range []map[string]any{file, env} {
		if err := v.MergeConfigMap(layer); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		v.Set(strings.ReplaceAll(key, ".", delimiter), flags[key])
	}
	cfg := &Config{}
	err := v.UnmarshalExact(cfg, func(c *mapstructure.DecoderConfig) {
		c.WeaklyTypedInput, c.DecodeHook = false, nil
	})
	return cfg, err
}

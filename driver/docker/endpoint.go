package docker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"

	"understudy/driver"
)

// endpoint is where the engine is.
type endpoint struct {
	host string      // such as unix:///var/run/docker.sock
	tls  *tls.Config // nil: plain
	from string      // who says so, in words; empty: nobody, it is the default
}

// findEndpoint looks where the docker CLI looks: DOCKER_HOST, then DOCKER_CONTEXT, then the current context, then the default.
// host, when not empty, comes before all of them.
func findEndpoint(host string) (endpoint, error) {
	if host != "" {
		return endpoint{host: host, from: "the option"}, nil
	}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		ep := endpoint{host: host, from: "DOCKER_HOST"}
		var err error
		ep.tls, err = tlsFromEnv()
		return ep, err
	}
	name, from := os.Getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		cfg, err := config.Load(configDir())
		if err != nil {
			return endpoint{}, failure(fmt.Sprintf("cannot read the docker CLI's configuration: %v", err), driver.ErrUnavailable)
		}
		name, from = cfg.CurrentContext, "the docker CLI's current context"
	}
	if name == "" || name == "default" {
		return endpoint{host: client.DefaultDockerHost}, nil
	}
	return contextEndpoint(name, fmt.Sprintf("%s, %q", from, name))
}

// configDir is where the docker CLI keeps its configuration.
func configDir() string {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(string(filepath.Separator), "root", ".docker")
	}
	return filepath.Join(home, ".docker")
}

// tlsFromEnv reads DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as the docker CLI does.
func tlsFromEnv() (*tls.Config, error) {
	dir, verify := os.Getenv("DOCKER_CERT_PATH"), os.Getenv("DOCKER_TLS_VERIFY") != ""
	if dir == "" && !verify {
		return nil, nil
	}
	if dir == "" {
		dir = configDir()
	}
	opts := tlsconfig.Options{CAFile: filepath.Join(dir, "ca.pem"), InsecureSkipVerify: !verify, ExclusiveRootPools: true}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if _, err := os.Stat(cert); err == nil {
		opts.CertFile, opts.KeyFile = cert, key
	}
	cfg, err := tlsconfig.Client(opts)
	if err != nil {
		return nil, failure(fmt.Sprintf("cannot use the certificates in %s: %v; check DOCKER_CERT_PATH", dir, err), driver.ErrUnavailable)
	}
	return cfg, nil
}

// contextEndpoint reads a context of the docker CLI.
func contextEndpoint(name, from string) (endpoint, error) {
	const kind = "docker" // the CLI's name for endpoints that are engines
	cfg := store.NewConfig(func() any { return &map[string]any{} },
		store.EndpointTypeGetter(kind, func() any { return &clicontext.EndpointMetaBase{} }))
	contexts := store.New(filepath.Join(configDir(), "contexts"), cfg)
	meta, err := contexts.GetMetadata(name)
	if err != nil {
		return endpoint{}, failure(fmt.Sprintf("cannot read the docker context that %s names: %v; see docker context ls", from, err), driver.ErrUnavailable)
	}
	base, ok := meta.Endpoints[kind].(clicontext.EndpointMetaBase)
	if !ok || base.Host == "" {
		return endpoint{}, failure(fmt.Sprintf("the docker context that %s names has no address; see docker context inspect", from), driver.ErrUnavailable)
	}
	ep := endpoint{host: base.Host, from: from}
	data, err := clicontext.LoadTLSData(contexts, name, kind)
	if err == nil && (data != nil || base.SkipTLSVerify) {
		ep.tls, err = tlsFromContext(data, base.SkipTLSVerify)
	}
	if err != nil {
		return endpoint{}, failure(fmt.Sprintf("cannot use the certificates of the docker context that %s names: %v", from, err), driver.ErrUnavailable)
	}
	return ep, nil
}

func tlsFromContext(data *clicontext.TLSData, skipVerify bool) (*tls.Config, error) {
	cfg := tlsconfig.ClientDefault()
	cfg.InsecureSkipVerify = skipVerify
	if data == nil {
		return cfg, nil
	}
	if data.CA != nil {
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(data.CA) {
			return nil, fmt.Errorf("ca.pem holds no certificate")
		}
	}
	if data.Cert != nil && data.Key != nil {
		cert, err := tls.X509KeyPair(data.Cert, data.Key)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, nil
}

// split returns the scheme and the address of the host.
func (ep endpoint) split() (scheme, address string, err error) {
	scheme, address, ok := strings.Cut(ep.host, "://")
	if !ok || address == "" {
		return "", "", failure(fmt.Sprintf("%q is not the address of a Docker engine (%s); it looks like unix:///var/run/docker.sock or tcp://127.0.0.1:2375",
			ep.host, ep.source()), driver.ErrUnavailable)
	}
	return scheme, address, nil
}

func (ep endpoint) source() string {
	if ep.from == "" {
		return "the default"
	}
	return "from " + ep.from
}

// elsewhere says whether the engine is, or may be, on another machine.
func (ep endpoint) elsewhere() bool {
	u, err := url.Parse(ep.host)
	if err != nil {
		return true
	}
	switch u.Scheme {
	case "unix", "npipe":
		return false
	case "tcp", "http", "https":
		name := u.Hostname()
		ip := net.ParseIP(name)
		return name != "localhost" && (ip == nil || !ip.IsLoopback())
	}
	return true // ssh and whatever else reaches out
}

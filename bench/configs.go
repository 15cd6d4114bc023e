package main

import "fmt"

// The other proxies, set up alike: two threads, round-robin over two backends, connections kept on both sides, no access log.

func haproxyConfig(address string, backends [2]string) string {
	return fmt.Sprintf(`global
  nbthread %d
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind %s
  default_backend out
backend out
  balance roundrobin
  http-reuse always
  option forwardfor
  server a %s
  server b %s
`, threads, address, backends[0], backends[1])
}

func nginxConfig(dir, address string, backends [2]string) string {
	return fmt.Sprintf(`daemon off;
worker_processes %d;
pid %s/nginx.pid;
events { worker_connections 4000; }
http {
%s  upstream out {
    server %s;
    server %s;
    keepalive %d;
    keepalive_requests 100000000;
  }
  server {
    listen %s;
    location / {
      proxy_pass http://out;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`, threads, dir, nginxCommon(dir), backends[0], backends[1], idlePerBackend, address)
}

// nginxCommon keeps nginx within dir and its connections open.
func nginxCommon(dir string) string {
	return fmt.Sprintf(`  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
`, dir)
}

func caddyConfig(address string, backends [2]string) string {
	return fmt.Sprintf(`{
	admin off
	auto_https off
}
http://%s {
	bind 127.0.0.1
	reverse_proxy %s %s {
		lb_policy round_robin
		transport http {
			keepalive_idle_conns_per_host %d
		}
	}
}
`, address, backends[0], backends[1], idlePerBackend)
}

// staticConfig is nginx as a server with one process that answers everything with two lines.
func staticConfig(dir, address string) string {
	return fmt.Sprintf(`daemon off;
worker_processes 1;
pid %s/nginx.pid;
events { worker_connections 4000; }
http {
%s  server {
    listen %s;
    location / { return 200 "the first line\nthe second line\n"; }
  }
}
`, dir, nginxCommon(dir), address)
}

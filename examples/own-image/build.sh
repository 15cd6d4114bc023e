#!/bin/sh
# Builds the image go-httpbin:example from the go-httpbin that go.mod names as a tool. Needs Go and Docker; pulls no image.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

# The engine's system and architecture, which need not be this machine's.
platform=$(docker version --format '{{.Server.Os}} {{.Server.Arch}}')
cd "$here"
CGO_ENABLED=0 GOOS=${platform% *} GOARCH=${platform#* } \
	go build -trimpath -ldflags '-s -w' -o "$context/go-httpbin" github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin
docker build --quiet --tag go-httpbin:example --file Dockerfile "$context"

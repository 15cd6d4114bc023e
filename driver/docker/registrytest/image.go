package registrytest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
)

// Image is what is put into a registry.
type Image struct {
	Program string         // a static executable on this machine, which becomes /program; empty: none
	Filler  []int64        // sizes of more layers, in bytes, of what cannot be compressed
	Config  map[string]any // of its containers, as in an image's configuration
	Arch    string         // empty: amd64
	List    bool           // it is put there behind a list of machines with one entry
}

const (
	kindManifest = "application/vnd.docker.distribution.manifest.v2+json"
	kindList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	kindConfig   = "application/vnd.docker.container.image.v1+json"
	kindLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// Push puts an image there and returns the digest by which it may be pulled. Two of equal content are one, in one registry: an engine shares
// what is equal, so that tests of several processes on one engine would wait for each other's pulls and could not remove their images.
func (r *Registry) Push(repository, tag string, img Image) (digest string) {
	r.t.Helper()
	if img.Arch == "" {
		img.Arch = "amd64"
	}
	var diffs []string
	var layers []any
	add := func(name string, content []byte) {
		plain, packed := archive(name, content)
		diffs = append(diffs, digestOf(plain))
		layers = append(layers, r.blob(repository, kindLayer, packed))
	}
	if img.Program != "" {
		program, err := os.ReadFile(img.Program)
		if err != nil {
			r.t.Fatal(err)
		}
		add("program", program)
	}
	for i, size := range img.Filler {
		content := make([]byte, size)
		source := rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, r.host, i, size)))
		source.Read(content)
		add(fmt.Sprint("filler", i), content)
	}
	config := encode(map[string]any{"author": r.host, "architecture": img.Arch, "os": "linux", "config": img.Config, "rootfs": map[string]any{"type": "layers", "diff_ids": diffs}})
	manifest := encode(map[string]any{"schemaVersion": 2, "mediaType": kindManifest, "config": r.blob(repository, kindConfig, config), "layers": layers})
	if !img.List {
		r.put("PUT", "/v2/"+repository+"/manifests/"+tag, kindManifest, manifest)
		return digestOf(manifest)
	}
	r.put("PUT", "/v2/"+repository+"/manifests/"+digestOf(manifest), kindManifest, manifest)
	entry := described(kindManifest, manifest)
	entry["platform"] = map[string]any{"architecture": img.Arch, "os": "linux"}
	list := encode(map[string]any{"schemaVersion": 2, "mediaType": kindList, "manifests": []any{entry}})
	r.put("PUT", "/v2/"+repository+"/manifests/"+tag, kindList, list)
	return digestOf(list)
}

func (r *Registry) blob(repository, kind string, content []byte) map[string]any {
	r.put("POST", "/v2/"+repository+"/blobs/uploads/?digest="+digestOf(content), "application/octet-stream", content)
	return described(kind, content)
}

func described(kind string, content []byte) map[string]any {
	return map[string]any{"mediaType": kind, "size": len(content), "digest": digestOf(content)}
}

// archive makes a layer of one file, as it is unpacked and as it is sent.
func archive(name string, content []byte) (plain, packed []byte) {
	var layer, zipped bytes.Buffer
	files := tar.NewWriter(&layer)
	files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	files.Write(content)
	files.Close()
	zip, _ := gzip.NewWriterLevel(&zipped, gzip.BestSpeed)
	zip.Write(layer.Bytes())
	zip.Close()
	return layer.Bytes(), zipped.Bytes()
}

func encode(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // it is made of what JSON has
	}
	return out
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

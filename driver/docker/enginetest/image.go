package enginetest

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// image is one of the engine's images.
type image struct {
	id     string
	user   string
	labels map[string]string
}

// PutImage puts an image there, or another content under the same reference.
func (e *Engine) PutImage(ref, user string, labels map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.putImage(ref, user, labels)
}

// Offer lets an image be pulled.
func (e *Engine) Offer(ref string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.offered[ref] = true
}

// putImage keeps an image. mu is held.
func (e *Engine) putImage(ref, user string, labels map[string]string) {
	e.serial++
	e.images[ref] = &image{id: fmt.Sprintf("sha256:%064x", e.serial), user: user, labels: labels}
	e.change()
}

// findImage finds an image by reference or id; nil: there is none. mu is held.
func (e *Engine) findImage(ref string) *image {
	if i := e.images[ref]; i != nil {
		return i
	}
	for _, i := range e.images {
		if i.id == ref {
			return i
		}
	}
	return nil
}

func (e *Engine) listImages(w http.ResponseWriter, r *http.Request) {
	f := filtersOf(r)
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []map[string]any{}
	for ref, i := range e.images {
		if f.labels(i.labels) {
			out = append(out, map[string]any{"Id": i.id, "RepoTags": []string{ref}, "Labels": i.labels})
		}
	}
	slices.SortFunc(out, func(a, b map[string]any) int { return strings.Compare(a["Id"].(string), b["Id"].(string)) })
	answer(w, http.StatusOK, out)
}

func (e *Engine) inspectImage(w http.ResponseWriter, r *http.Request) {
	ref := strings.TrimSuffix(r.PathValue("ref"), "/json")
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.findImage(ref)
	if i == nil {
		refuse(w, http.StatusNotFound, "No such image: %s", ref)
		return
	}
	var names []string
	for name, other := range e.images {
		if other == i {
			names = append(names, name)
		}
	}
	answer(w, http.StatusOK, map[string]any{"Id": i.id, "RepoTags": names, "Config": map[string]any{"Labels": i.labels, "User": i.user}})
}

// loadImage makes an image of an archive, of which only the configuration is kept.
func (e *Engine) loadImage(w http.ResponseWriter, r *http.Request) {
	files := map[string][]byte{}
	for archive := tar.NewReader(r.Body); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(archive)
		}
		if err != nil {
			refuse(w, http.StatusInternalServerError, "Error processing tar file(%v)", err)
			return
		}
		files[header.Name] = content
	}
	var manifest []struct {
		Config   string
		RepoTags []string
	}
	var loaded struct {
		Config struct {
			User   string
			Labels map[string]string
		} `json:"config"`
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		refuse(w, http.StatusInternalServerError, "invalid manifest.json: %v", err)
		return
	}
	config := files[manifest[0].Config]
	if err := json.Unmarshal(config, &loaded); err != nil {
		refuse(w, http.StatusInternalServerError, "invalid configuration: %v", err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ref := range manifest[0].RepoTags {
		e.images[ref] = &image{id: fmt.Sprintf("sha256:%x", sha256.Sum256(config)), user: loaded.Config.User, labels: loaded.Config.Labels}
	}
	e.change()
	fmt.Fprintln(w, `{"stream":"Loaded image"}`)
}

func (e *Engine) pullImage(w http.ResponseWriter, r *http.Request) {
	ref := reference(r.URL.Query().Get("fromImage"), r.URL.Query().Get("tag"))
	e.mu.Lock()
	defer e.mu.Unlock()
	name := strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/")
	if !e.offered[ref] && !e.offered[name] {
		refuse(w, http.StatusNotFound, "pull access denied for %s, repository does not exist or may require 'docker login'", name)
		return
	}
	e.putImage(name, "", nil)
	fmt.Fprintln(w, `{"status":"Pulling from `+name+`"}`)
	fmt.Fprintln(w, `{"status":"Status: Downloaded newer image for `+name+`"}`)
}

func reference(name, tag string) string {
	if tag == "" || strings.Contains(name, ":") {
		return name
	}
	return name + ":" + tag
}

func (e *Engine) removeImage(w http.ResponseWriter, r *http.Request) {
	ref := r.PathValue("ref")
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.findImage(ref)
	if i == nil {
		refuse(w, http.StatusNotFound, "No such image: %s", ref)
		return
	}
	for _, c := range e.containers {
		if e.findImage(c.Image) == i {
			refuse(w, http.StatusConflict, "conflict: unable to remove repository reference %q (must force) - container %s is using its referenced image", ref, c.ID)
			return
		}
	}
	for name, other := range e.images {
		if name == ref || other == i && ref == i.id {
			delete(e.images, name)
		}
	}
	e.change()
	answer(w, http.StatusOK, []map[string]string{{"Untagged": ref}})
}

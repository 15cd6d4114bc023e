// Package dashboard is what a person looks at: a page that draws itself in the browser from the admin plane's stream of events, and the
// last quarter of an hour that the stream begins with. The page loads nothing from anywhere else and works without a network.
package dashboard

import (
	"bytes"
	"embed"
	"net/http"
	"path"
)

//go:embed assets
var assets embed.FS

// The documents: one shows everything, the other asks for the token.
const (
	Page  = "page.html"
	Login = "login.html"
)

// kinds are the types of the files there are.
func kinds() map[string]string {
	return map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
}

// Files are the names of everything the documents load. They hold nothing that is secret.
func Files() []string { return []string{Script, "app.css", loginScript, "icon.svg"} }

// ServePage answers with the page; with login it offers to log out.
func ServePage(login bool) http.HandlerFunc {
	body, _ := assets.ReadFile("assets/" + Page) // it is in the binary
	if login {
		body = bytes.Replace(body, []byte(`data-login="no"`), []byte(`data-login="yes"`), 1)
	}
	return func(w http.ResponseWriter, _ *http.Request) { write(w, Page, http.StatusOK, body) }
}

// Serve answers with one of the files, or one of the documents, under the given status.
func Serve(name string, status int) http.HandlerFunc {
	body, err := read(name)
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		write(w, name, status, body)
	}
}

func read(name string) ([]byte, error) {
	if parts := modules()[name]; parts != nil {
		return bundle(parts)
	}
	return assets.ReadFile("assets/" + name)
}

func write(w http.ResponseWriter, name string, status int, body []byte) {
	w.Header().Set("Content-Type", kinds()[path.Ext(name)])
	w.WriteHeader(status)
	w.Write(body) // an error means the client left; nobody is there to be told
}

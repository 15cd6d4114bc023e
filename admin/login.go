package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"understudy/dashboard"
)

const loginPath = "/api/v1/login"

// login takes {"token": "…"} and answers with a cookie that stands for it.
func (p *plane) login(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		problem{Status: http.StatusBadRequest, Code: "bad-json", Detail: `the body must be {"token": "…"}`}.write(w)
		return
	}
	if refused := unauthorized(w, p.token.compare(r, sent.Token)); refused != nil {
		refused.write(w)
		return
	}
	if p.token.on {
		http.SetCookie(w, p.sessions.begin(r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"))
		p.Log.Info("logged in", slog.String("by", r.RemoteAddr))
	}
	w.WriteHeader(http.StatusNoContent)
}

// logout ends the session a request belongs to.
func (p *plane) logout(w http.ResponseWriter, r *http.Request) {
	if id, end, ok := p.sessions.of(r); ok {
		p.sessions.end(id, end)
		p.Log.Info("logged out", slog.String("by", r.RemoteAddr))
	}
	http.SetCookie(w, p.sessions.bake("", -1, false))
	w.WriteHeader(http.StatusNoContent)
}

// judge tells whether a request may pass: by the token it sends, else by the session it belongs to.
func (p *plane) judge(r *http.Request) verdict {
	v := p.token.judge(r)
	if v == missing {
		if _, _, ok := p.sessions.of(r); ok {
			return accepted
		}
	}
	return v
}

// publicPaths are what a machine asks about health, the way in, and the files of the login form.
func publicPaths() map[string]bool {
	paths := map[string]bool{"/healthz": true, "/readyz": true, loginPath: true}
	for _, name := range dashboard.Files() {
		paths["/"+name] = true
	}
	return paths
}

// wantsLogin tells whether a person is looking, to whom a form says more than a problem.
func wantsLogin(r *http.Request, v verdict) bool {
	return v == missing && r.URL.Path == "/" && readOnly(r) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

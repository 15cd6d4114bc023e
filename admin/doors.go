package admin

import (
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"

	"understudy/dashboard"
)

const (
	registerPath = "/register"
	codeNoToken  = "no-token"
	maxBody      = 64 << 10
	// nothing but our own files; what is written in a document is never script or style
	contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// doors is everything a request must pass before any route sees it.
func (p *plane) doors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w.Header())
		v := p.judge(r)
		if refused := p.refusal(w, r, v); refused != nil {
			if refused.Code == codeNoToken && wantsLogin(r, v) {
				dashboard.Serve(dashboard.Login, refused.Status)(w, r)
				return
			}
			refused.write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// refusal is why a request may not pass, or nil.
func (p *plane) refusal(w http.ResponseWriter, r *http.Request, v verdict) *problem {
	if !p.hosts.has(r.Host) && !(p.token.on && v == accepted) { // whoever knows the token is no rebound page
		return &problem{
			Status: http.StatusMisdirectedRequest, Code: "wrong-host",
			Detail: "the admin plane does not go by the name " + strconv.QuoteToASCII(clip(r.Host, 80)) + "; use its address, or send the admin token",
		}
	}
	if !p.public[r.URL.Path] {
		if refused := unauthorized(w, v); refused != nil {
			return refused
		}
	}
	if p.origin.Check(r) != nil || pryingOrigin(r) {
		return &problem{Status: http.StatusForbidden, Code: "cross-site", Detail: "a page of another site sent this request"}
	}
	if r.URL.EscapedPath() != path.Clean(r.URL.EscapedPath()) { // before the mux answers with a redirect
		return &problem{Status: http.StatusNotFound, Code: "not-found", Detail: "the admin plane has nothing at this path"}
	}
	return wrongBody(r)
}

func unauthorized(w http.ResponseWriter, v verdict) *problem {
	switch v {
	case accepted:
		return nil
	case limited:
		w.Header().Set("Retry-After", "1")
		return &problem{Status: http.StatusTooManyRequests, Code: "too-many-attempts", Detail: "too many wrong admin tokens from this address; wait a second"}
	case wrong:
		w.Header().Set("WWW-Authenticate", `Bearer realm="understudy", error="invalid_token"`)
		return &problem{Status: http.StatusUnauthorized, Code: "wrong-token", Detail: "this is not the admin token"}
	default:
		w.Header().Set("WWW-Authenticate", `Bearer realm="understudy"`)
		return &problem{Status: http.StatusUnauthorized, Code: codeNoToken, Detail: "send the admin token: Authorization: Bearer TOKEN"}
	}
}

// pryingOrigin finds pages of other sites that read. They could not see the answer, but they could hold streams open. A link that
// somebody follows is fine.
func pryingOrigin(r *http.Request) bool {
	if !readOnly(r) {
		return false // CrossOriginProtection has judged it
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		origin := r.Header.Get("Origin")
		return origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host
	default:
		return r.Header.Get("Sec-Fetch-Mode") != "navigate"
	}
}

func readOnly(r *http.Request) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
}

// wrongBody refuses a body whose type a page of another site could send without asking; workers that register may also send a form.
func wrongBody(r *http.Request) *problem {
	if readOnly(r) || r.ContentLength == 0 {
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form := r.URL.Path == registerPath && kind == "application/x-www-form-urlencoded"
	if err == nil && (kind == "application/json" || form) {
		return nil
	}
	return &problem{Status: http.StatusUnsupportedMediaType, Code: "not-json", Detail: "a body must come with Content-Type: application/json"}
}

package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	tokenBurst   = 10   // wrong tokens one address may send at once
	tokenRefill  = 1    // and a second after that
	tokenSources = 1024 // addresses remembered; those beyond share one allowance
)

// tokenCheck compares Bearer tokens in constant time and slows down whoever guesses.
type tokenCheck struct {
	on     bool
	digest [sha256.Size]byte // of the token, so that not even its length shows in the time a comparison takes
	now    func() time.Time

	mu      sync.Mutex
	sources map[netip.Addr]allowance
}

// allowance is how many wrong tokens an address may still send.
type allowance struct {
	left float64
	at   time.Time
}

type verdict int

const (
	accepted verdict = iota
	missing          // no token was sent
	wrong
	limited // too many wrong ones; this one was not looked at
)

func newTokenCheck(token string, now func() time.Time) *tokenCheck {
	return &tokenCheck{on: token != "", digest: sha256.Sum256([]byte(token)), now: now, sources: map[netip.Addr]allowance{}}
}

// judge looks at the token of a request. While an address is limited even the right token is refused: else guessing would go on unhindered.
func (c *tokenCheck) judge(r *http.Request) verdict {
	if !c.on {
		return accepted
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return missing
	}
	return c.compare(r, strings.TrimSpace(token))
}

// compare is judge for a token that came in another way.
func (c *tokenCheck) compare(r *http.Request, token string) verdict {
	if !c.on {
		return accepted
	}
	sent := sha256.Sum256([]byte(token))
	c.mu.Lock()
	defer c.mu.Unlock()
	source, a := c.allowanceOf(sourceOf(r))
	if a.left < 1 {
		return limited
	}
	if subtle.ConstantTimeCompare(sent[:], c.digest[:]) == 1 {
		return accepted
	}
	a.left--
	c.sources[source] = a
	return wrong
}

// allowanceOf yields what the source has left now, and the key it is kept under.
func (c *tokenCheck) allowanceOf(source netip.Addr) (netip.Addr, allowance) {
	now := c.now()
	if _, known := c.sources[source]; !known && len(c.sources) >= tokenSources {
		for s, a := range c.sources {
			if a.refilled(now).left >= tokenBurst {
				delete(c.sources, s)
			}
		}
		if len(c.sources) >= tokenSources {
			source = netip.Addr{}
		}
	}
	a, known := c.sources[source]
	if !known {
		return source, allowance{left: tokenBurst, at: now}
	}
	return source, a.refilled(now)
}

func (a allowance) refilled(now time.Time) allowance {
	return allowance{left: min(tokenBurst, a.left+tokenRefill*max(now.Sub(a.at), 0).Seconds()), at: now}
}

// sourceOf is the address a request comes from; for IPv6 its /64, of which one host has all.
func sourceOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}

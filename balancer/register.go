package balancer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// card is what a worker says about itself when it registers.
type card struct {
	URL          string   `json:"url"`
	ID           string   `json:"id"`
	Capabilities []string `json:"capabilities"`
	Concurrency  int      `json:"concurrency"`
}

const (
	maxCard           = 64 << 10
	maxID             = 128
	maxWorkerURL      = 2048
	maxCapabilities   = 256
	maxCapabilityName = 128
	maxConcurrency    = 10000
)

// unfit is a card that can be read and cannot be taken.
type unfit struct{ why string }

func (u unfit) Error() string { return u.why }
func (u unfit) Unwrap() error { return errUnfit }

// malformed is a card that cannot be read.
type malformed struct{ why string }

func (m malformed) Error() string { return m.why }
func (m malformed) Unwrap() error { return errMalformed }

// readCard takes JSON or a form, as the planner protocol does. Fields it does not know are none of its business.
func readCard(w http.ResponseWriter, r *http.Request) (card, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCard))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return card{}, errTooLarge
	case err != nil:
		return card{}, malformed{"The body could not be read."}
	}
	var c card
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		c, err = formCard(string(text))
	} else {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return card{}, malformed{`The body must be {"url": "http://host:8080", "id": "..."}, or the same as a form: ` + err.Error() + "."}
	}
	return c, c.check()
}

func formCard(text string) (card, error) {
	form, err := url.ParseQuery(text)
	if err != nil {
		return card{}, err
	}
	c := card{URL: form.Get("url"), ID: form.Get("id")}
	for _, list := range form["capabilities"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				c.Capabilities = append(c.Capabilities, name)
			}
		}
	}
	if n := form.Get("concurrency"); n != "" {
		if c.Concurrency, err = strconv.Atoi(n); err != nil {
			return card{}, errors.New("concurrency is no whole number")
		}
	}
	return c, nil
}

// check tells the first thing that is wrong with a card.
func (c card) check() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "http" || u.Hostname() == "" || len(c.URL) > maxWorkerURL:
		return unfit{"url must be an absolute http URL with a host, such as http://host:8080."}
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return unfit{"url must have neither a user, nor a query, nor a fragment."}
	case badHost(u.Host):
		return unfit{"url must have a host that is one."}
	case !saneWorkerID(c.ID):
		return unfit{fmt.Sprintf("id must be 1 to %d letters, digits and -._:@~.", maxID)}
	case len(c.Capabilities) > maxCapabilities:
		return unfit{fmt.Sprintf("capabilities must be at most %d.", maxCapabilities)}
	case c.Concurrency < 0 || c.Concurrency > maxConcurrency:
		return unfit{fmt.Sprintf("concurrency must be 1 to %d, or absent.", maxConcurrency)}
	}
	for _, name := range c.Capabilities {
		if name == "" || len(name) > maxCapabilityName {
			return unfit{fmt.Sprintf("each capability must have 1 to %d bytes.", maxCapabilityName)}
		}
	}
	return nil
}

// saneWorkerID: ids end up in headers, paths, labels and logs.
func saneWorkerID(id string) bool {
	return len(id) <= maxID && saneID(id) && !strings.ContainsAny(id, "/+=") && strings.Trim(id, ".") != ""
}

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stentor-audio/stentor/client/hop"
)

const (
	// maxListed is how many relays of a list are believed.
	maxListed = 16
	// maxHashes is how many certificates one of them may have: the present one,
	// the next, and some more.
	maxHashes = 8
	// maxRemembered bounds what is kept about relays that come and go.
	maxRemembered = 256
	// maxRelayName is what a list may make a relay's name at most, in bytes.
	maxRelayName = 128
)

// A relayList is where a client may go, best first: the body of the lobby's
// answer and of each group of the track relays.
type relayList struct {
	Relays       []listedRelay `json:"relays"`
	RetryAfterMS int64         `json:"retry_after_ms"`
	// Gone are names of relays that have fallen silent to the one whose list this is.
	Gone []string `json:"gone"`
	// Cold asks to stand by without a session.
	Cold bool `json:"cold"`
}

type listedRelay struct {
	Name   string   `json:"name"`
	URL    string   `json:"url"`
	Zone   string   `json:"zone"`
	Hash   string   `json:"certificate_sha256"`
	Hashes []string `json:"certificates_sha256"`

	endpoint endpoint
}

// parseRelays reads a list. Entries that make no sense are left out.
func parseRelays(document []byte) (relayList, error) {
	var list relayList
	if err := json.Unmarshal(document, &list); err != nil {
		return relayList{}, fmt.Errorf("relays: %w", err)
	}
	var good []listedRelay
	for _, entry := range list.Relays {
		if entry.check() == nil && len(good) < maxListed {
			good = append(good, entry)
		}
	}
	list.Relays = good
	list.Gone = list.Gone[:min(len(list.Gone), maxListed)]
	return list, nil
}

var errNoRelay = errors.New("an entry without name, address or certificate")

// check reads the URL and puts the hashes into one list.
func (r *listedRelay) check() error {
	e, err := splitURL(r.URL)
	if err != nil {
		return err
	}
	if r.Name == "" || len(r.Name) > maxRelayName || len(r.Zone) > maxRelayName || e.scheme != "https" {
		return errNoRelay
	}
	r.endpoint = e
	if r.Hash != "" && !slices.Contains(r.Hashes, r.Hash) {
		r.Hashes = append([]string{r.Hash}, r.Hashes...)
	}
	for _, text := range r.Hashes {
		if _, err := ParseHash(text); err != nil {
			return err
		}
	}
	r.Hashes = r.Hashes[:min(len(r.Hashes), maxHashes)]
	return nil
}

// A directory is which relays there are: those that the user named, and those
// that relays have told of. The former are never forgotten, whatever the latter
// say.
type directory struct {
	own    []endpoint
	listed []listedRelay

	names   map[string]string // of relays, by host:port
	refused map[string]error  // why a relay will never take this client, by host:port
}

func newDirectory(relays []string) (directory, error) {
	d := directory{names: make(map[string]string), refused: make(map[string]error)}
	if len(relays) == 0 {
		return d, fmt.Errorf("%w: no relay", ErrAddress)
	}
	for _, relay := range relays {
		e, err := parseURL(relay)
		if err != nil {
			return d, err
		}
		d.own = append(d.own, e)
	}
	return d, nil
}

// candidates are the relays to choose from: the listed ones, best first, then
// those that the user named.
func (d *directory) candidates() []hop.Candidate {
	var list []hop.Candidate
	taken := make(map[string]bool)
	for _, r := range d.listed {
		e := d.reach(r.endpoint)
		taken[e.authority()] = true
		list = append(list, hop.Candidate{Name: r.Name, Zone: r.Zone, URL: e.url(), Hashes: r.Hashes})
	}
	for _, e := range d.own {
		at := e.authority()
		if taken[at] || d.isListed(d.names[at]) {
			continue
		}
		list = append(list, hop.Candidate{Name: at, URL: e.url()})
	}
	return list
}

func (d *directory) isListed(name string) bool {
	return slices.ContainsFunc(d.listed, func(r listedRelay) bool { return r.Name == name })
}

// reach is how a relay that a list names is to be dialled: as the user dials,
// with his path, token and transport, at another host.
func (d *directory) reach(e endpoint) endpoint {
	for _, own := range d.own {
		if own.authority() == e.authority() {
			return own
		}
	}
	to := d.own[0]
	to.host, to.port = e.host, e.port
	if to.scheme == "http" {
		to.scheme = "https"
	}
	return to
}

// name is what a relay is called by people, if that is known of an address.
func (d *directory) name(at string) string {
	if name, ok := d.names[at]; ok {
		return name
	}
	return at
}

// learn takes a list, and reports whether it says anything. The line it came by,
// if any, may be with a relay that the list knows by another address: it is
// recognised by its certificate, and called there what it was reached by.
func (d *directory) learn(list relayList, l *line) bool {
	if len(list.Relays) == 0 {
		return false
	}
	d.listed = slices.Clone(list.Relays)
	if l != nil {
		d.recognise(l)
	}
	for i := range d.listed {
		r := &d.listed[i]
		for _, own := range d.own {
			if d.names[own.authority()] == r.Name {
				r.endpoint = own // it has been reached so
			}
		}
		if len(d.names) < maxRemembered {
			d.names[r.endpoint.authority()] = r.Name
		}
	}
	return true
}

// recognise finds the relay of a line in its own list.
func (d *directory) recognise(l *line) {
	here, leaf := l.session.endpoint.authority(), l.session.leaf.Load()
	var name string
	for _, r := range d.listed {
		switch {
		case r.endpoint.authority() == here:
			return
		case leaf == nil || !slices.ContainsFunc(r.Hashes, func(h string) bool { return strings.EqualFold(h, leaf.String()) }):
		case name == "" || r.Name == d.names[here]:
			name = r.Name // several with one certificate: a relay's list begins with itself
		}
	}
	if name != "" {
		d.names[here] = name
	}
}

// isOwn reports whether the user named a candidate.
func (d *directory) isOwn(c hop.Candidate) bool {
	e, err := splitURL(c.URL)
	return err == nil && slices.ContainsFunc(d.own, func(own endpoint) bool { return own.authority() == e.authority() })
}

// refuse notes an error that is for good, accept that there is none.
func (d *directory) refuse(c hop.Candidate, err error) {
	if e, bad := splitURL(c.URL); bad == nil && final(err) && len(d.refused) < maxRemembered {
		d.refused[e.authority()] = err
	}
}

func (d *directory) accept(c hop.Candidate) {
	if e, err := splitURL(c.URL); err == nil {
		delete(d.refused, e.authority())
	}
}

// hopeless reports whether no relay will ever take this client.
func (d *directory) hopeless() bool {
	for _, c := range d.candidates() {
		e, err := splitURL(c.URL)
		if err == nil && d.refused[e.authority()] == nil {
			return false
		}
	}
	return true
}

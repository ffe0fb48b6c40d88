package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
)

const (
	// lobbyTimeout bounds the question to one relay, and lobbyQuestions how many
	// are asked in turn: whoever asks has nobody to listen to, perhaps.
	lobbyTimeout   = 2 * time.Second
	lobbyQuestions = 4
	// aliveFor is how long ago a relay must have said something to be alive: of
	// five ticks one should have come.
	aliveFor = time.Second
	// lobbyCount is how many relays are asked for.
	lobbyCount = 4
	// maxLobby is the size of an answer that is read, in bytes.
	maxLobby = 64 << 10
	// longestRetry bounds what a lobby may make us wait.
	longestRetry = time.Minute
)

// ask asks the known relays in turn for a list, in the background and once at a
// time. mu is held.
func (r *roamer) ask() {
	if r.asked || r.age() < r.askAt || r.informed() {
		return
	}
	r.asked = true
	where := r.dir.candidates()
	rand.Shuffle(len(where), func(i, j int) { where[i], where[j] = where[j], where[i] })
	var exclude []string
	for _, l := range r.lines {
		if l.session != nil {
			exclude = append(exclude, r.dir.name(l.candidate.Name))
		}
	}
	r.tasks.Go(func() {
		list, err := r.askInTurn(r.ctx, where[:min(len(where), lobbyQuestions)], exclude)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked = false
		if err != nil {
			r.log.Debug("no lobby answers", "cause", err)
			return
		}
		r.askAt = r.age() + min(time.Duration(list.RetryAfterMS)*time.Millisecond, longestRetry)
		r.learn(list, nil)
	})
}

// informed reports whether a relay that is alive tells who there is as soon as
// that changes: a lobby knows no more, and a relay that is alone would be asked
// by everybody at it for ever.
func (r *roamer) informed() bool {
	for _, l := range r.lines {
		if l.session != nil && l.listed && l.quiet() < aliveFor {
			return true
		}
	}
	return false
}

func (r *roamer) askInTurn(ctx context.Context, where []hop.Candidate, exclude []string) (list relayList, err error) {
	for _, c := range where {
		e, bad := splitURL(c.URL)
		if bad != nil {
			continue
		}
		if list, err = r.askOne(ctx, e, c.Hashes, exclude); err == nil || ctx.Err() != nil {
			return list, err
		}
	}
	return relayList{}, err
}

// askOne asks one relay, whose certificate may be one of hashes or one that the
// user trusts.
func (r *roamer) askOne(ctx context.Context, e endpoint, hashes, exclude []string) (relayList, error) {
	o := r.options.withDefaults()
	for _, text := range hashes {
		if h, err := ParseHash(text); err == nil {
			o.CertificateHashes = append(o.CertificateHashes[:len(o.CertificateHashes):len(o.CertificateHashes)], h)
		}
	}
	list, err := askLobby(ctx, e, o, r.lobbyQuery(exclude))
	if len(hashes) > 0 && isCertificateError(err) {
		return askLobby(ctx, e, r.options.withDefaults(), r.lobbyQuery(exclude))
	}
	return list, err
}

func (r *roamer) lobbyQuery(exclude []string) string {
	q := url.Values{"purpose": {r.purpose}, "n": {strconv.Itoa(lobbyCount)}}
	if len(exclude) > 0 {
		q["exclude"] = exclude
	}
	return "/v1/rooms/" + url.PathEscape(r.room) + "/relays?" + q.Encode()
}

var errLobby = errors.New("no answer of a lobby")

// askLobby gets a list from the relay at e, which is trusted as [Dial] does.
func askLobby(ctx context.Context, e endpoint, o Options, query string) (relayList, error) {
	status, body, err := get(ctx, e, o, query)
	switch {
	case err != nil:
		return relayList{}, err
	case status != http.StatusOK:
		return relayList{}, fmt.Errorf("%w: %w", errLobby, &statusError{status})
	}
	return parseRelays(body)
}

// A question is what a relay is asked over HTTPS.
type question struct {
	method string
	path   string // with the query
	token  string // "" for none
	body   []byte
	within time.Duration
}

// get asks the relay at e a question that has no body.
func get(ctx context.Context, e endpoint, o Options, query string) (status int, body []byte, err error) {
	return ask(ctx, e, o, question{method: http.MethodGet, path: query, within: lobbyTimeout})
}

// ask asks the relay at e over HTTPS.
func ask(ctx context.Context, e endpoint, o Options, q question) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, q.within)
	defer cancel()
	scheme := "https"
	if e.scheme == "http" {
		scheme = "http"
	}
	cfg := tlsConfig(e, o, o.CertificateHashes)
	cfg.NextProtos = []string{"http/1.1"}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: o.DialTCP, TLSClientConfig: cfg}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, q.method, scheme+"://"+e.authority()+q.path, bytes.NewReader(q.body))
	if err != nil {
		return 0, nil, err
	}
	if q.token != "" {
		req.Header.Set("Authorization", "Bearer "+q.token)
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxLobby))
	return resp.StatusCode, body, err
}

// dialAs is the dial of a roamer: o for a role, with the pins of a list beside
// the user's.
func dialAs(ctx context.Context, where string, o Options, role protocol.Role, pins []Hash, goaway func(string)) (*Session, error) {
	o = o.roaming(role)
	o.OnGoaway = goaway
	if len(pins) > 0 {
		o.CertificateHashes = append(pins[:len(pins):len(pins)], o.CertificateHashes...)
	}
	return Dial(ctx, where, o)
}

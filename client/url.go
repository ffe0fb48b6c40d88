package client

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/stentor-audio/stentor/protocol"
)

// An endpoint is a relay's URL taken apart.
//
//	https://host:port[/path][?jwt=…]  WebTransport or native QUIC
//	moqt://host:port[/path][?jwt=…]   native QUIC only
//	http://host:port[/path][?jwt=…]   development: as https, with the certificate
//	                                  hash fetched from that address in the clear
type endpoint struct {
	scheme string // https, http or moqt
	host   string // without brackets
	port   string
	path   protocol.Path // the session's root, empty for /
	query  url.Values
}

// parseURL takes a relay's URL apart. Every error is [ErrAddress].
func parseURL(raw string) (endpoint, error) {
	e, err := splitURL(raw)
	if err != nil {
		return endpoint{}, badAddress.of(redact(raw), err)
	}
	return e, nil
}

func splitURL(raw string) (endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, errors.Unwrap(err)
	}
	var port string
	switch u.Scheme {
	case "https", "moqt":
		port = "443"
	case "http":
		port = "80"
	case "":
		return endpoint{}, errors.New("no scheme")
	default:
		return endpoint{}, fmt.Errorf("unknown scheme %q", u.Scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	switch {
	case u.Hostname() == "":
		return endpoint{}, errors.New("no host")
	case u.User != nil:
		return endpoint{}, errors.New("credentials go into a token, not before the host")
	}
	path, err := protocol.ParsePath(u.Path)
	if err != nil {
		return endpoint{}, err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return endpoint{}, err
	}
	return endpoint{scheme: u.Scheme, host: u.Hostname(), port: port, path: path, query: query}, nil
}

// authority is host:port, as dialled and as in a CONNECT request.
func (e endpoint) authority() string { return net.JoinHostPort(e.host, e.port) }

// String is the URL without its query, for logs and errors: the query may hold
// a token.
func (e endpoint) String() string {
	u := url.URL{Scheme: e.scheme, Host: e.authority()}
	if e.path != "" {
		u.Path = "/" + string(e.path)
	}
	return u.String()
}

// withToken returns e with token as its jwt, unless token is empty. Of several
// in the URL only the last counts.
func (e endpoint) withToken(token string) endpoint {
	query := url.Values{}
	for key, values := range e.query {
		query[key] = values
	}
	if tokens := query["jwt"]; len(tokens) > 1 {
		query.Set("jwt", tokens[len(tokens)-1])
	}
	if token != "" {
		query.Set("jwt", token)
	}
	if query.Get("jwt") == "" {
		query.Del("jwt")
	}
	e.query = query
	return e
}

// request is the path with its query, as SETUP and CONNECT carry it.
func (e endpoint) request() string {
	u := url.URL{Path: "/" + string(e.path), RawQuery: e.query.Encode()}
	return u.String()
}

// loopback reports whether the host can only be this machine.
func (e endpoint) loopback() bool {
	if strings.EqualFold(e.host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(e.host)
	return err == nil && ip.IsLoopback()
}

// inside returns how a path of the network is called within a session at e; see
// [Session.Path].
func (e endpoint) inside(p protocol.Path) protocol.Path {
	if inner, ok := p.TrimPrefix(e.path); ok {
		return inner
	}
	return p
}

// redact cuts a URL that could not be parsed before anything that may be a
// token.
func redact(raw string) string {
	raw, _, _ = strings.Cut(raw, "?")
	if i := strings.LastIndex(raw, "@"); i >= 0 {
		raw = "…" + raw[i:]
	}
	if len(raw) > 100 {
		raw = raw[:100] + "…"
	}
	return fmt.Sprintf("%q", raw)
}

// url is the whole URL, with what may be secret in its query.
func (e endpoint) url() string {
	u := url.URL{Scheme: e.scheme, Host: e.authority(), RawQuery: e.query.Encode()}
	if e.path != "" {
		u.Path = "/" + string(e.path)
	}
	return u.String()
}

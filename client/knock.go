package client

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

const (
	// knocks is how often a speaker who is refused shows that it may speak, and
	// knockPause about how long it waits between two: the places that a relay keeps
	// are given to whoever comes from the same address.
	knocks     = 8
	knockPause = 100 * time.Millisecond

	// knockAfter is how long it waits for an answer before that: a relay that has no
	// time to refuse everybody is silent, and the packet that asks again comes late.
	knockAfter = 400 * time.Millisecond
)

// connectInTurn is connect. A relay begins only so many handshakes a second and
// refuses others before it knows who comes, or says nothing; whoever may speak or
// host shows that over HTTPS, where tokens are seen, and comes again at once
// (docs/operating.md, when a relay is busy). Others wait for their turn.
func connectInTurn(ctx context.Context, e endpoint, o Options, leaf *shown) (session.Conn, error) {
	plainly := func(ctx context.Context) (session.Conn, error) { return connect(ctx, e, o, leaf) }
	if !mayGoFirst(e, o) {
		return plainly(ctx)
	}
	return race(ctx, plainly, func(ctx context.Context) (conn session.Conn, err error) {
		for range knocks {
			if !knock(ctx, e, o) && sleep(ctx, knockPause/2+rand.N(knockPause)) != nil {
				return nil, context.Cause(ctx)
			}
			if conn, err = plainly(ctx); !isRefused(err) || ctx.Err() != nil {
				break
			}
		}
		return conn, err
	}, fallback{knockAfter, isRefused})
}

// isRefused reports whether a relay began no handshake.
func isRefused(err error) bool {
	var transport *quic.TransportError
	return errors.As(err, &transport) && transport.ErrorCode == quic.ConnectionRefused
}

// mayGoFirst reports whether it is worth knocking: it comes to publish, or has a
// token that allows it. The relay looks more closely.
func mayGoFirst(e endpoint, o Options) bool {
	if o.Role == protocol.RolePublisher {
		return true
	}
	var claims struct {
		Put json.RawMessage `json:"put"`
	}
	return readClaims(e.query.Get("jwt"), &claims) && len(claims.Put) > 0 && string(claims.Put) != "[]"
}

// knock asks a relay whether it would let this client in, which keeps it a place
// for a moment.
func knock(ctx context.Context, e endpoint, o Options) bool {
	q := url.Values{"jwt": {e.query.Get("jwt")}}
	if o.Role == protocol.RolePublisher {
		q.Set("role", "publisher")
	}
	path, _, _ := strings.Cut(e.request(), "?")
	status, _, err := get(ctx, e, o, path+"?"+q.Encode())
	return err == nil && status == http.StatusOK
}

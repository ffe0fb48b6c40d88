package hop

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/stentor-audio/stentor/relay/api"
)

const (
	// lobbyWithin bounds one question, and lobbyCount is how many relays are asked
	// for, as web/src/client/lobby.ts has them.
	lobbyWithin = 2 * time.Second
	lobbyCount  = 3
	// maxAnswer is how much of an answer is read, in bytes.
	maxAnswer = 64 << 10
	// askAgain is when lobbies none of which answers are asked again.
	askAgain = time.Second
)

// errNoLobby says that a lobby has not answered as one does.
var errNoLobby = errors.New("no answer of a lobby")

// A Door is a relay whom a newcomer asks where to go, and the zone that it says it
// is in.
type Door struct{ URL, Zone string }

// What a newcomer comes for, in a lobby's words.
const (
	toListen = "listen"
	toSpeak  = "speak"
)

// askLobby asks a relay where to listen or speak. Its certificate is not looked at: the
// network is this machine's own.
func askLobby(ctx context.Context, d Door, purpose, room string) (answer api.Lobby, err error) {
	ctx, stop := context.WithTimeout(ctx, lobbyWithin)
	defer stop()
	q := url.Values{"purpose": {purpose}, "n": {strconv.Itoa(lobbyCount)}}
	if d.Zone != "" {
		q.Set("zone", d.Zone)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL+"/v1/rooms/"+url.PathEscape(room)+"/relays?"+q.Encode(), nil)
	if err != nil {
		return answer, err
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return answer, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("%w: %s", errNoLobby, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		return answer, fmt.Errorf("%w: %w", errNoLobby, err)
	}
	return answer, nil
}

// findRelays asks the doors in turn until one of them names relays, and waits as
// long as they say meanwhile, a little longer by chance from 0 to 1, as a page
// does. failed is told why an attempt was in vain.
func findRelays(ctx context.Context, doors []Door, purpose, room string, chance float64, failed func(error)) (urls []string, err error) {
	for {
		pause := askAgain
		for _, d := range doors {
			answer, err := askLobby(ctx, d, purpose, room)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				failed(err)
				continue
			}
			if urls = urlsOf(answer); len(urls) > 0 {
				return urls, nil
			}
			pause = max(pause, time.Duration(answer.RetryAfterMS)*time.Millisecond)
			failed(fmt.Errorf("%w: told to wait for %v", errNoLobby, pause))
			break
		}
		if err := wait(ctx, time.Duration(float64(pause)*(1+chance/4))); err != nil {
			return nil, err
		}
	}
}

// urlsOf are the addresses of an answer's relays, which name the room that a
// session is opened at.
func urlsOf(answer api.Lobby) (urls []string) {
	for _, m := range answer.Relays {
		if u, err := url.Parse(m.URL); err == nil && u.Host != "" {
			u.Path = ""
			urls = append(urls, u.String())
		}
	}
	return slices.Compact(urls)
}

package relay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/api"
	"github.com/stentor-audio/stentor/token"
)

// An impostor is a voice that announces itself under other names than its own,
// whatever it was asked for.
type impostor struct {
	*voice
	suffixes []protocol.Path
}

func (i impostor) Announce(ctx context.Context, w *session.AnnounceWriter) error {
	var all []protocol.Announce
	for _, suffix := range i.suffixes {
		all = append(all, protocol.Announce{Status: protocol.AnnounceActive, Suffix: suffix})
	}
	if err := w.Initial(i.hopID, all); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// Who may speak as ada speaks as nobody else: not under a name that is free, and not
// in place of somebody who is there.
func TestNobodySpeaksUnderAnothersName(t *testing.T) {
	h := newHouse(t, 1, relay.Config{})
	m := h.relays[0]
	bob := newVoice(t, "town/bob")
	bob.publish(m.URL()+"/town", client.Options{Token: h.jwt("bob", token.RoleSpeaker)})
	bob.speak(1)
	e, _ := subscribe(t, dial(t, m.URL(), client.Options{Token: h.jwt("eve", token.RoleListener)}), "town/bob", protocol.TrackAudio, protocol.Delivery{})
	e.wait(t, 1)

	ada := h.jwt("ada", token.RoleSpeaker)
	for _, suffixes := range [][]protocol.Path{
		{"../bob"}, {"../../town/bob"}, {"/town/bob"}, {"bob"}, {"../cleo", "cleo"}, {""}, {"../../.stentor/relay"},
	} {
		v := newVoice(t, "town/ada")
		s, err := client.Dial(within(t), m.URL()+"/town", client.Options{Token: ada, Publisher: impostor{v, suffixes}, HopID: v.hopID})
		if err != nil {
			t.Fatal(err)
		}
		v.speak(5)
		_ = settled(t, s) // it may well be sent away
		for _, speaker := range m.room("town").Speakers {
			if speaker.Name != "bob" && speaker.Name != "ada" && !strings.HasPrefix(speaker.Name, "ada/") {
				t.Errorf("%q: speaks as %q", suffixes, speaker.Name)
			}
		}
		s.Close()
	}
	// At the door of another's broadcast it is turned away.
	if err := newVoice(t, "town/bob").sentAway(m.URL()+"/town/bob", client.Options{Token: ada, Role: protocol.RolePublisher, Transport: client.QUIC}); !errors.Is(err, client.ErrNotAllowed) {
		t.Errorf("at bob's own path: %v", err)
	}
	from, to := bob.more(20)
	e.has(t, bob, from, to)
}

// The clocks of three relays differ by a minute each. What is decided counts in the
// order in which it was, nobody is taken for gone, and a room begins once.
func TestClocksAMinuteApart(t *testing.T) {
	h := newHouse(t, 0, relay.Config{})
	for i := range 3 {
		off := time.Duration(i-1) * time.Minute
		h.build(relay.Config{HostGrace: 2 * time.Second, Now: func() time.Time { return time.Now().Add(off) }})
	}
	for _, m := range h.relays {
		eventually(t, "everybody knows everybody", func() bool { return m.count("ready") == 3 })
	}
	host, cohost := h.jwt("boss", token.RoleHost), h.jwt("carl", token.RoleCohost)
	h.do(h.relays[2], "create", host, `{"room":"town"}`)
	dial(t, h.relays[0].URL()+"/town", client.Options{Token: host})
	dial(t, h.relays[2].URL()+"/town", client.Options{Token: cohost})
	for i, command := range []struct{ verb, body string }{
		{"ban", `{"who":"mal"}`}, {"unban", `{"who":"mal"}`}, {"ban", `{"who":"mal"}`},
		{"invite", `{"who":"ada"}`}, {"mute", `{"who":"ada"}`}, {"unmute", `{"who":"ada"}`}, {"mute", `{"who":"ada"}`},
	} {
		h.do(h.relays[(2*i)%3], command.verb, host, command.body)
	}
	for _, m := range h.relays {
		eventually(t, m.Name()+" has it as it was decided last", func() bool {
			p, ok := h.person(m, "ada")
			return ok && p.Muted && h.knows(m)
		})
	}
	time.Sleep(4 * time.Second) // twice the grace
	for _, m := range h.relays {
		if p, ok := h.person(m, "Carl"); !ok || p.Role != token.RoleCohost {
			t.Errorf("%s: the host is there, and %+v stands in", m.Name(), p)
		}
	}
	// A token has expired where the clock says so, and nowhere else.
	soon := h.jwt("boss", token.RoleHost, func(c *token.Claims) { c.Expires = time.Now().Add(30 * time.Second) })
	for i, want := range []int{200, 200, 401} {
		if status, body, _ := h.ask(h.relays[i], "POST", "/v1/rooms/town/invite", soon, fmt.Sprintf(`{"who":"guest-%d"}`, i)); status != want {
			t.Errorf("%s: %d %s, want %d", h.relays[i].Name(), status, body, want)
		}
	}
}

// What a lobby has answered is no ticket: whoever comes by an old one, or by
// somebody else's, is looked at as everybody is.
func TestReplayedLobbyAnswerIsNoTicket(t *testing.T) {
	r, sign := guardedAs(t, relay.Config{Capacity: 1}) // twice of it are taken
	listen := sign(scope("-", ""))
	_, body := askHTTPS(t, r, "/v1/rooms/town/relays?purpose=listen")
	var old api.Lobby
	if err := json.Unmarshal([]byte(body), &old); err != nil || len(old.Relays) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	url := old.Relays[0].URL
	for name, jwt := range map[string]string{"no token": "", "a token of another room": sign(token.Claims{Scope: token.Scope{Root: "moon", Get: []protocol.Path{""}}})} {
		s, err := client.Dial(within(t), url, client.Options{Token: jwt, Transport: client.QUIC})
		if err == nil {
			err = told(t, s)
			s.Close()
		}
		if !errors.Is(err, client.ErrNotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		s := dial(t, url, client.Options{Token: listen})
		if err := settled(t, s); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := settled(t, s); err != nil {
				t.Errorf("who is in is thrown out: %v", err)
			}
		}()
	}
	for range 5 { // the same answer, again and again
		refusedAsBusy(t, r, client.Options{Token: listen})
	}
	var now api.Lobby
	resp, body := askHTTPS(t, r, "/v1/rooms/town/relays?purpose=listen")
	if err := json.Unmarshal([]byte(body), &now); err != nil || len(now.Relays) != 0 || now.RetryAfterMS < 1 {
		t.Errorf("the lobby of a full relay: %s", body)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "max-age=1" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

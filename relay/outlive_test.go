package relay_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/token"
)

// apart starts another relay that knows the same keys and no other relay.
func (h *house) apart(name string) *member {
	return join(h.t, relay.Config{Name: name, Keys: h.file})
}

// onStage has somebody's client at relays until the test ends, silent.
func (h *house) onStage(subject, jwt string, relays ...*member) {
	h.t.Helper()
	o := client.SpeakOptions{Room: "town", Name: subject, Dial: client.Options{Token: jwt}}
	for _, m := range relays {
		o.Relays = append(o.Relays, m.URL()+"/town")
	}
	s, err := client.NewSpeaker(o)
	if err != nil {
		h.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(context.Background()) })
	h.t.Cleanup(func() { s.Close(); running.Wait() })
	eventually(h.t, subject+" is at all of them", func() bool {
		up := 0
		for _, r := range s.Stats().Relays {
			if r.Up {
				up++
			}
		}
		return up == len(relays)
	})
}

// knows reports whether a relay keeps mal out of the room.
func (h *house) knows(m *member) bool {
	status, _, _ := h.ask(m, "POST", "/v1/rooms/town/hands", h.jwt("mal", token.RoleListener), `{}`)
	return status == 403
}

// A relay that knows nothing of a room is told of it by a host's client, and by
// nobody else's. The relays stand alone: they cannot have it from each other.
func TestHostsClientBringsTheRoomBack(t *testing.T) {
	h := newHouse(t, 1, relay.Config{})
	first := h.relays[0]
	host := h.jwt("boss", token.RoleHost)
	starts := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	h.do(first, "create", host, `{"room":"town","title":"Town hall","starts":"`+starts+`"}`)
	h.do(first, "ban", host, `{"who":"mal"}`)

	second := h.apart("second")
	cohost := h.jwt("carl", token.RoleCohost)
	h.onStage("carl", cohost, first, second)
	h.onStage("ada", h.jwt("ada", token.RoleSpeaker), first, second)
	listener, err := client.NewListener(client.ListenOptions{
		Room: "town", Relays: []string{first.URL() + "/town", second.URL() + "/town"},
		Dial: client.Options{Token: h.jwt("eve", token.RoleListener)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = listener.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	time.Sleep(time.Second)
	if r := second.room("town"); r.Title != "" {
		t.Fatalf("told by somebody who is no host: %+v", r)
	}
	for name, jwt := range map[string]string{"a listener's": h.jwt("eve", token.RoleListener), "a speaker's": h.jwt("ada", token.RoleSpeaker), "a co-host's": cohost} {
		_, document, _ := h.ask(first, "GET", "/v1/rooms/town/state", host, "")
		if status, body, _ := h.ask(second, "POST", "/v1/rooms/town/state", jwt, string(document)); status != 403 {
			t.Errorf("%s offer: %d %s", name, status, body)
		}
	}

	h.onStage("boss", host, first, second)
	eventually(t, "the second relay knows the room", func() bool { return second.room("town").Title == "Town hall" && h.knows(second) })

	if r := second.room("town"); r.State != "announced" || r.Starts == nil {
		t.Errorf("it has begun because its host was there before his copy: %+v", r)
	}

	// And so it goes on, in either direction.
	h.do(second, "mute", host, `{"who":"ada"}`)
	eventually(t, "the first one hears of a mute", func() bool { p, _ := h.person(first, "Ada"); return p.Muted })
	h.do(first, "unban", host, `{"who":"mal"}`)
	eventually(t, "the second one hears that a ban is lifted", func() bool { return !h.knows(second) })

	// Whoever has been a speaker only does not see all of the state.
	s := dial(t, first.URL()+"/town", client.Options{Token: h.jwt("ada", token.RoleSpeaker)})
	sub, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: ".stentor/rooms/town", Track: "stage"}, newEar())
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-sub.Done():
	case <-time.After(10 * time.Second):
		t.Error("a speaker is shown all of the state")
	}
}

// The lobby of any relay tells when a room begins, of those that hold it at once.
func TestLobbyTellsWhenARoomBegins(t *testing.T) {
	h := newHouse(t, 4, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	starts := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	h.do(h.relays[0], "create", host, `{"room":"town","starts":"`+starts.Format(time.RFC3339)+`"}`)
	lobby := func(m *member) (answer struct{ Starts *time.Time }) {
		_, body, _ := h.ask(m, "GET", "/v1/rooms/town/relays", "", "")
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		return answer
	}
	for _, m := range h.relays {
		eventually(t, m.Name()+" tells", func() bool {
			at := lobby(m).Starts
			return at != nil && at.Equal(starts) && at.Location() == time.UTC
		})
	}
	h.do(h.relays[1], "start", host, `{}`)
	for _, m := range h.relays {
		eventually(t, m.Name()+" does not tell any more", func() bool { return lobby(m).Starts == nil })
	}
}

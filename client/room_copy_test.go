package client

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

func TestWhoKeepsTheRoomsState(t *testing.T) {
	jwt := func(role token.Role) string {
		key, err := token.Generate("", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := token.Sign(key, token.Claims{Scope: token.Scope{Root: "town", Get: []protocol.Path{""}}, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tt := range []struct {
		name, jwt, purpose string
		want               bool
	}{
		{"a host who speaks", jwt(token.RoleHost), purposeSpeak, true},
		{"a host who listens", jwt(token.RoleHost), purposeListen, true},
		{"a co-host", jwt(token.RoleCohost), purposeSpeak, false},
		{"a speaker", jwt(token.RoleSpeaker), purposeSpeak, false},
		{"a listener", jwt(token.RoleListener), purposeListen, false},
		{"who speaks where there are no tokens", "", purposeSpeak, true},
		{"who listens there", "", purposeListen, false},
		{"no token at all", "a.b.c", purposeSpeak, false},
	} {
		e, err := parseURL("https://relay.example/town")
		if err != nil {
			t.Fatal(err)
		}
		if got := mayKeep(e.withToken(tt.jwt), tt.purpose); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// decide has the host give a command, which makes the next state of a room.
func decide(t *testing.T, s stage.State, c stage.Command) stage.State {
	t.Helper()
	next, err := s.Apply(c, stage.Actor{Subject: "boss", Name: "Boss", Role: token.RoleHost}, "relay-a", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// What a relay lacks is offered: at once to one that has only just been reached, and
// otherwise when it has had the time to hear of it from another relay.
func TestWhatARelayLacksIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := stage.State{Room: "town"}
		made := decide(t, none, stage.Command{Do: stage.Create, Title: "Town hall"})
		banned := decide(t, made, stage.Command{Do: stage.Ban, Who: "mal"})
		keep := newRoomCopy("town", slog.New(slog.DiscardHandler))
		relay := func(shows ...stage.State) *custody {
			c := &custody{copy: keep, theirs: none, changed: make(chan struct{})}
			for _, s := range shows {
				b, err := s.Encode()
				if err != nil {
					t.Fatal(err)
				}
				if err := c.take(b); err != nil {
					t.Fatal(err)
				}
			}
			return c
		}
		var since time.Time
		expect := func(what string, c *custody, want bool, in time.Duration) {
			t.Helper()
			ours, is, at, _ := c.behind(&since, time.Now())
			if is != want || is && !ours.Banned("mal") || !is && in > 0 && time.Until(at) != in || in == 0 && !at.IsZero() {
				t.Errorf("%s: offered %v, looks again in %v", what, is, time.Until(at))
			}
		}
		fresh := relay(none)
		expect("nothing is known anywhere", fresh, false, 0)
		expect("it has shown nothing yet", relay(), false, 0)
		first := relay(made, banned)
		expect("it has shown all there is", first, false, 0)
		expect("another has just been reached, and has nothing", fresh, true, 0)
		since = time.Time{}

		follows := relay(none, made) // and is about to hear of the ban
		expect("it hears of the room from elsewhere", follows, false, behindFor)
		time.Sleep(behindFor - time.Millisecond)
		expect("still", follows, false, time.Millisecond)
		time.Sleep(time.Millisecond)
		expect("it does not hear of the ban", follows, true, 0)
		if b, err := banned.Encode(); err != nil || follows.take(b) != nil {
			t.Fatal(err)
		}
		expect("it has it", follows, false, 0)
		for _, bad := range []string{"", "{}", `{"room":"moon"}`, string(make([]byte, stage.MaxSize+1))} {
			if first.take([]byte(bad)) == nil {
				t.Errorf("%.20q is taken", bad)
			}
		}
		if s, _ := keep.get(); !stage.Same(s, banned) {
			t.Errorf("the copy is %+v", s)
		}
	})
}

// A relay that is behind another takes nothing back of what the program was told.
func TestRoomIsToldForwards(t *testing.T) {
	var told []uint64
	v := &roomView{on: func(v stage.View) { told = append(told, v.Version) }}
	for _, version := range []uint64{0, 0, 3, 2, 3, 7, 0} {
		v.take(stage.View{Version: version})
	}
	if len(told) != 3 || told[0] != 0 || told[1] != 3 || told[2] != 7 {
		t.Errorf("told of %d", told)
	}
}

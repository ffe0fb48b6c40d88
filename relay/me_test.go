package relay_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// view is the newest thing that a session was told of the room.
func (e *ear) view(t *testing.T) (v stage.View) {
	t.Helper()
	if document := e.newest(); document != nil {
		if err := json.Unmarshal(document, &v); err != nil {
			t.Error(err)
		}
	}
	return v
}

// Two of one name sit in the audience: each session is told what its own person is.
func TestSessionsAreToldWhatTheyAre(t *testing.T) {
	h := newHouse(t, 2, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	h.do(h.relays[0], "create", host, `{"room":"town"}`)
	follow := func(at *member, jwt string) *ear {
		s, e := dial(t, at.URL()+"/town", client.Options{Token: jwt}), newEar()
		if _, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: ".stentor/rooms/town", Track: "state"}, e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	named := func(c *token.Claims) { c.Name = "Eve" }
	one, two := h.jwt("eve1", token.RoleListener, named), h.jwt("eve2", token.RoleListener, named)
	boss, eve, twin := follow(h.relays[0], host), follow(h.relays[1], one), follow(h.relays[1], two)
	is := func(what string, e *ear, want stage.You) {
		t.Helper()
		eventually(t, what, func() bool { you := e.view(t).You; return you != nil && *you == want })
	}
	is("a host", boss, stage.You{Role: token.RoleHost, Place: 1, Voice: "Boss"})
	is("a listener", eve, stage.You{Role: token.RoleListener})
	v := h.do(h.relays[1], "hands", one, `{}`)
	if v.You == nil || *v.You != (stage.You{Role: token.RoleListener, Hand: 1}) {
		t.Errorf("the answer to a raised hand: %+v", v.You)
	}
	h.do(h.relays[1], "hands", two, `{}`)
	is("first in the queue", eve, stage.You{Role: token.RoleListener, Hand: 1})
	is("second in the queue", twin, stage.You{Role: token.RoleListener, Hand: 2})
	var queue struct {
		Hands  []string
		Raised []stage.RaisedHand
	}
	_, body, _ := h.ask(h.relays[0], "GET", "/v1/rooms/town/hands", host, "")
	if err := json.Unmarshal(body, &queue); err != nil || !slices.Equal(queue.Hands, []string{"eve1", "eve2"}) ||
		!slices.Equal(queue.Raised, []stage.RaisedHand{{Subject: "eve1", Name: "Eve"}, {Subject: "eve2", Name: "Eve"}}) {
		t.Errorf("the queue is %s", body)
	}
	h.do(h.relays[0], "invite", host, `{"who":"eve2"}`)
	h.do(h.relays[0], "mute", host, `{"who":"eve2"}`)
	is("invited and muted", twin, stage.You{Role: token.RoleSpeaker, Place: 2, Voice: "Eve", Muted: stage.ByHost})
	is("now first", eve, stage.You{Role: token.RoleListener, Hand: 1})
	eventually(t, "the host sees who is who", func() bool {
		on := boss.view(t).Stage
		return len(on) == 2 && on[1] == stage.PersonView{Name: "Eve", Role: token.RoleSpeaker, Muted: true, Subject: "eve2"}
	})
	if on := eve.view(t).Stage; on[1].Subject != "" {
		t.Errorf("a listener is told %+v", on)
	}
	h.do(h.relays[0], "promote", host, `{"who":"eve2","role":"listener"}`)
	is("demoted", twin, stage.You{Role: token.RoleListener, Muted: stage.ByHost})
}

// Who has no session asks, at whatever relay.
func TestMe(t *testing.T) {
	h := newHouse(t, 2, relay.Config{})
	host, eve, mal := h.jwt("boss", token.RoleHost), h.jwt("eve", token.RoleListener), h.jwt("mal", token.RoleSpeaker)
	me := func(path, jwt string) (status int, v stage.View) {
		t.Helper()
		status, body, header := h.ask(h.relays[1], "GET", "/v1/rooms/"+path+"/me", jwt, "")
		if err := json.Unmarshal(body, &v); err != nil || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %s, %v", status, body, header)
		}
		return status, v
	}
	if status, v := me("town", eve); status != 200 || v.Version != 0 || v.State != stage.Live || *v.You != (stage.You{Role: token.RoleListener}) {
		t.Errorf("of a room that nobody made: %d %+v", status, v)
	}
	h.do(h.relays[0], "create", host, `{"room":"town"}`)
	h.do(h.relays[0], "hands", eve, `{}`)
	h.do(h.relays[0], "ban", host, `{"who":"mal"}`)
	eventually(t, "the other relay says it", func() bool {
		_, v := me("town", eve)
		return v.You != nil && *v.You == stage.You{Role: token.RoleListener, Hand: 1}
	})
	for _, tt := range []struct {
		name, path, jwt string
		status          int
	}{
		{"nobody", "town", "", 401},
		{"garbage", "town", "a.b.c", 401},
		{"of another room", "moon", eve, 403},
		{"banned", "town", mal, 403},
		{"a path", "a%2Fb", eve, 400},
		{"a relay's", ".stentor", eve, 400},
	} {
		if status, v := me(tt.path, tt.jwt); status != tt.status || v.You != nil {
			t.Errorf("%s: %d %+v, want %d", tt.name, status, v.You, tt.status)
		}
	}
	h.do(h.relays[0], "end", host, `{}`)
	eventually(t, "the end is known", func() bool { status, _ := me("town", eve); return status == 410 })
}

// A page asks what became of its session: the answer counts what the room's state says.
func TestWouldLetInKnowsTheRoom(t *testing.T) {
	h := newHouse(t, 2, relay.Config{})
	host, eve := h.jwt("boss", token.RoleHost), h.jwt("eve", token.RoleListener)
	ada := h.jwt("ada", token.RoleSpeaker)
	h.do(h.relays[0], "create", host, `{"room":"town"}`)
	type answer struct {
		Put, Get []string
		You      *stage.You
	}
	ask := func(at *member, jwt, query string) (status int, words string, a answer) {
		t.Helper()
		status, body, _ := h.ask(at, "GET", "/town?jwt="+url.QueryEscape(jwt)+query, "", "")
		if status == 200 {
			if err := json.Unmarshal(body, &a); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
		}
		return status, strings.TrimSpace(string(body)), a
	}
	lets := func(jwt string, want answer) {
		t.Helper()
		for _, at := range h.relays {
			eventually(t, at.Name()+" says what is so", func() bool { _, _, a := ask(at, jwt, ""); return reflect.DeepEqual(a, want) })
		}
	}
	refuses := func(jwt, query string, status int, end string) {
		t.Helper()
		for _, at := range h.relays {
			eventually(t, at.Name()+" says "+end, func() bool {
				got, words, _ := ask(at, jwt, query)
				return got == status && strings.HasSuffix(words, end)
			})
		}
	}
	all := []string{""}
	lets(eve, answer{[]string{}, all, &stage.You{Role: token.RoleListener}})
	lets(ada, answer{[]string{"ada"}, all, &stage.You{Role: token.RoleSpeaker}})
	h.do(h.relays[0], "invite", host, `{"who":"eve"}`)
	h.do(h.relays[0], "invite", host, `{"who":"ada"}`)
	lets(eve, answer{[]string{"Eve"}, all, &stage.You{Role: token.RoleSpeaker, Place: 3, Voice: "Eve"}})
	lets(ada, answer{[]string{"ada"}, all, &stage.You{Role: token.RoleSpeaker, Place: 2, Voice: "Ada"}})
	h.do(h.relays[0], "promote", host, `{"who":"ada","role":"listener"}`)
	lets(ada, answer{[]string{}, all, &stage.You{Role: token.RoleListener}})
	h.do(h.relays[0], "remove", host, `{"who":"eve"}`)
	refuses(eve, "&removed=0", 403, "removed by its hosts")
	lets(eve, answer{[]string{}, all, &stage.You{Role: token.RoleListener, Removed: 1}})
	for _, bad := range []string{"x", "-1", "1.5", "99999999999999999999", strings.Repeat("9", 1000)} {
		if status, words, _ := ask(h.relays[0], eve, "&removed="+bad); status != 400 || len(words) > 200 {
			t.Errorf("removed=%.30s: %d %s", bad, status, words)
		}
	}
	if status, _, _ := ask(h.relays[0], eve, "&removed=1"); status != 200 {
		t.Errorf("who knows of the removal is answered %d", status)
	}
	h.do(h.relays[0], "ban", host, `{"who":"eve"}`)
	refuses(eve, "&removed=0", 403, "banned from this room")
	h.do(h.relays[0], "end", host, `{}`)
	refuses(ada, "", 403, "the room has ended")
}

package relay_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/relay"
	"github.com/stentor-audio/stentor/relay/stage"
	"github.com/stentor-audio/stentor/token"
)

// A house is a network of relays that want tokens.
type house struct {
	t      *testing.T
	key    token.Key
	file   string
	relays []*member
	web    *http.Client
}

// newHouse starts n relays that want tokens.
func newHouse(t *testing.T, n int, cfg relay.Config) *house {
	t.Helper()
	key, err := token.Generate("", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, key: key, file: filepath.Join(t.TempDir(), "key.jwk")}
	if err := os.WriteFile(h.file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	h.web = &http.Client{Transport: transport}
	for range n {
		h.build(cfg)
	}
	for _, m := range h.relays {
		eventually(t, "everybody knows everybody", func() bool { return m.count("ready") == n })
	}
	return h
}

// build adds a relay.
func (h *house) build(cfg relay.Config) *member {
	i := len(h.relays)
	cfg.Name, cfg.Zone, cfg.Keys = fmt.Sprintf("relay-%d", i), fmt.Sprintf("z%d", i), h.file
	var seed []string
	for _, m := range h.relays {
		select {
		case <-m.ended:
		default:
			seed = []string{m.GossipAddr()}
		}
	}
	m := join(h.t, cfg, seed...)
	h.relays = append(h.relays, m)
	return m
}

// jwt makes a token for room town, of somebody who is called as their subject is.
func (h *house) jwt(subject string, role token.Role, change ...func(*token.Claims)) string {
	h.t.Helper()
	c := token.Claims{
		Scope: token.Scope{Root: "town", Get: []protocol.Path{""}},
		Role:  role, Name: strings.ToUpper(subject[:1]) + subject[1:], Subject: subject,
	}
	if role != token.RoleListener && role != "" {
		c.Put = []protocol.Path{protocol.Path(subject)}
	}
	for _, f := range change {
		f(&c)
	}
	out, err := token.Sign(h.key, c)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// ask sends a request to a relay.
func (h *house) ask(at *member, method, path, jwt, body string) (status int, answer []byte, header http.Header) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(within(h.t), method, at.URL()+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if jwt != "" {
		req.Header.Set("Authorization", "Bearer "+jwt)
	}
	resp, err := h.web.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, answer, resp.Header
}

// do gives a command that must be carried out.
func (h *house) do(at *member, verb, jwt, body string) (v stage.View) {
	h.t.Helper()
	path := "/v1/rooms/town/" + verb
	if verb == "create" {
		path = "/v1/rooms"
	}
	status, answer, _ := h.ask(at, "POST", path, jwt, body)
	if err := json.Unmarshal(answer, &v); err != nil || status != 200 {
		h.t.Fatalf("%s %s: %d %s", verb, body, status, answer)
	}
	return v
}

// person is somebody on the stage as a relay shows it.
func (h *house) person(at *member, name string) (p stage.PersonView, ok bool) {
	r := at.room("town")
	i := slices.IndexFunc(r.Stage, func(p stage.PersonView) bool { return p.Name == name })
	if i < 0 {
		return p, false
	}
	return r.Stage[i], true
}

// chatter speaks until the test ends.
func (v *voice) chatter(every time.Duration) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				v.speak(1)
			case <-stop:
				return
			}
		}
	}()
	v.t.Cleanup(func() { close(stop); <-ended })
}

// heard is how many groups have come.
func (e *ear) heard() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.order)
}

// A speaker is muted at one relay, speaks at another and is heard at a third.
func TestMuteTakesEffectEverywhere(t *testing.T) {
	h := newHouse(t, 3, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	h.do(h.relays[0], "create", host, `{"room":"town","title":"Town hall"}`)
	ada := newVoice(t, "town/ada")
	ada.publish(h.relays[1].URL()+"/town", client.Options{Token: h.jwt("ada", token.RoleSpeaker)})
	bob := newVoice(t, "town/bob")
	bob.publish(h.relays[1].URL()+"/town", client.Options{Token: h.jwt("bob", token.RoleSpeaker)})
	ada.speak(1)
	bob.speak(1)
	ear := func(name protocol.Path) *ear {
		s := dial(t, h.relays[2].URL()+"/town", client.Options{Token: h.jwt("eve", token.RoleListener)})
		info, err := s.TrackInfo(within(t), name, protocol.TrackAudio)
		if err != nil || info.Timescale != protocol.AudioTimescale {
			t.Fatal(info, err)
		}
		e := newEar()
		if _, err := s.Subscribe(within(t), protocol.Subscribe{Broadcast: name, Track: protocol.TrackAudio}, e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	a, b := ear("ada"), ear("bob")
	ada.chatter(10 * time.Millisecond)
	bob.chatter(10 * time.Millisecond)
	eventually(t, "both are heard", func() bool { return a.heard() > 10 && b.heard() > 10 })
	for _, name := range []string{"Ada", "Bob"} {
		eventually(t, name+" is shown on the stage", func() bool { _, ok := h.person(h.relays[2], name); return ok })
	}

	began := time.Now()
	v := h.do(h.relays[0], "mute", host, `{"who":"Ada"}`)
	answered := time.Since(began)
	last := a.heard()
	quiet := time.Now()
	eventually(t, "nothing comes of the muted", func() bool {
		if n := a.heard(); n != last {
			last, quiet = n, time.Now()
		}
		return time.Since(quiet) > 500*time.Millisecond
	})
	t.Logf("muted: answered after %v, last heard after %v", answered.Round(time.Millisecond), quiet.Sub(began).Round(time.Millisecond))
	if n := b.heard(); n < 40 {
		t.Errorf("the other speaker was heard %d times", n)
	}
	if p, _ := h.person(h.relays[1], "Ada"); !p.Muted {
		t.Errorf("shown as %+v after version %d", p, v.Version)
	}
	muted := ada.spoken() - 5
	listener := dial(t, h.relays[1].URL()+"/town", client.Options{Token: h.jwt("eve", token.RoleListener)})
	fetch := func() error {
		return listener.Fetch(within(t), protocol.Fetch{Broadcast: "ada", Track: protocol.TrackAudio, Group: muted}, func(protocol.Frame) error { return nil })
	}
	if err := fetch(); err == nil {
		t.Error("what a muted speaker says can be fetched")
	}

	if status, body, _ := h.ask(h.relays[1], "POST", "/v1/rooms/town/unmute", h.jwt("ada", token.RoleSpeaker), "{}"); status != 403 {
		t.Errorf("a host's mute undone by the muted: %d %s", status, body)
	}
	h.do(h.relays[2], "unmute", host, `{"who":"ada"}`)
	eventually(t, "heard again", func() bool { return a.heard() > last+10 })
	if err := fetch(); err == nil {
		t.Error("what was said while muted can be fetched afterwards")
	}
}

func (v *voice) spoken() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return uint64(len(v.groups))
}

func TestCommandsAreRefused(t *testing.T) {
	h := newHouse(t, 1, relay.Config{})
	m := h.relays[0]
	host := h.jwt("boss", token.RoleHost)
	speaker, listener := h.jwt("ada", token.RoleSpeaker), h.jwt("eve", token.RoleListener)
	v := h.do(m, "create", host, `{"room":"town"}`)
	h.do(m, "invite", host, `{"who":"bob"}`)
	h.do(m, "ban", host, `{"who":"mal"}`)
	expired := h.jwt("boss", token.RoleHost, func(c *token.Claims) { c.Expires = time.Now().Add(-time.Minute) })
	early := h.jwt("boss", token.RoleHost, func(c *token.Claims) { c.NotBefore = time.Now().Add(time.Hour) })
	elsewhere := h.jwt("boss", token.RoleHost, func(c *token.Claims) { c.Root = "moon" })
	nobody := h.jwt("x", token.RoleHost, func(c *token.Claims) { c.Subject, c.Name, c.Put = "", "", []protocol.Path{""} })
	other, err := token.Generate("", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := token.Sign(other, token.Claims{Scope: token.Scope{Root: "town", Get: []protocol.Path{""}}, Role: token.RoleHost, Subject: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, path, jwt, body string
		status                int
		code                  string
	}{
		{"no token", "town/mute", "", `{"who":"bob"}`, 401, "not_allowed"},
		{"no token at all", "town/mute", "a.b.c", `{"who":"bob"}`, 401, "not_allowed"},
		{"forged", "town/mute", forged, `{"who":"bob"}`, 401, "not_allowed"},
		{"expired", "town/mute", expired, `{"who":"bob"}`, 401, "not_allowed"},
		{"not valid yet", "town/mute", early, `{"who":"bob"}`, 401, "not_allowed"},
		{"of another room", "town/mute", elsewhere, `{"who":"bob"}`, 403, "not_allowed"},
		{"of nobody", "town/mute", nobody, `{"who":"bob"}`, 403, "not_allowed"},
		{"speaker mutes another", "town/mute", speaker, `{"who":"bob"}`, 403, "not_allowed"},
		{"listener invites himself", "town/invite", listener, `{}`, 403, "not_allowed"},
		{"speaker ends it", "town/end", speaker, `{}`, 403, "not_allowed"},
		{"banned raises a hand", "town/hands", h.jwt("mal", token.RoleListener), `{}`, 403, "banned"},
		{"banned host", "town/end", h.jwt("mal", token.RoleHost), `{}`, 403, "banned"},
		{"outdated", "town/mute", host, fmt.Sprintf(`{"who":"bob","version":%d}`, v.Version), 409, "outdated"},
		{"there already", "", host, `{"room":"town"}`, 409, "exists"},
		{"the last host", "town/mute", h.jwt("guest", token.RoleHost), `{"who":"boss"}`, 409, "last_host"},
		{"nobody of that name", "town/mute", host, `{"who":"zoe"}`, 404, "not_found"},
		{"no such room", "moon/mute", h.jwt("ada", token.RoleSpeaker, func(c *token.Claims) { c.Root = "moon" }), `{}`, 404, "not_found"},
		{"a role that is none", "town/promote", host, `{"who":"bob","role":"king"}`, 400, "bad_request"},
		{"not JSON", "town/mute", host, `who=bob`, 400, "bad_request"},
		{"a field too many", "town/mute", host, `{"whom":"bob"}`, 400, "bad_request"},
		{"a room like a path", "", host, `{"room":"a/b"}`, 400, "bad_request"},
		{"a room above all", "", host, `{"room":"../town"}`, 400, "bad_request"},
		{"a room of ours", "", host, `{"room":".stentor"}`, 400, "bad_request"},
		{"no room", "", host, `{}`, 400, "bad_request"},
		{"a room like a path in the path", "a%2Fb/mute", host, `{}`, 400, "bad_request"},
		{"a long name", "town/ban", host, `{"who":"` + strings.Repeat("x", 129) + `"}`, 400, "bad_request"},
		{"a long body", "town/ban", host, `{"who":"` + strings.Repeat("x", 65<<10) + `"}`, 400, "too_large"},
		{"a state of 10 MB", "town/state", host, strings.Repeat("x", 10<<20), 400, "too_large"},
		{"a state that is none", "town/state", host, `{"room":"moon"}`, 400, "bad_request"},
		{"a speaker's state", "town/state", speaker, `{"room":"town"}`, 403, "not_allowed"},
		{"join by hand", "town/join", host, `{}`, 404, "not_found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			time.Sleep(60 * time.Millisecond) // the host's own commands are counted, too
			status, body, _ := h.ask(m, "POST", strings.TrimSuffix("/v1/rooms/"+tt.path, "/"), tt.jwt, tt.body)
			var e struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal(body, &e); err != nil || status != tt.status || e.Error.Code != tt.code || e.Error.Message == "" {
				t.Errorf("%d %s, want %d %s", status, body, tt.status, tt.code)
			}
		})
	}
	for _, path := range []string{"/v1/rooms/town/state", "/v1/rooms/town/hands"} {
		if status, _, _ := h.ask(m, "GET", path, listener, ""); status != 403 {
			t.Errorf("%s shown to a listener: %d", path, status)
		}
	}
	if got := m.room("town"); got.State != "live" || got.Version != v.Version+2 {
		t.Errorf("%+v", got)
	}
}

// Who gives a thousand commands a second is told to wait, and nobody else is.
func TestFloodOfCommandsCostsItsSender(t *testing.T) {
	h := newHouse(t, 1, relay.Config{})
	m := h.relays[0]
	host, flood := h.jwt("boss", token.RoleHost), h.jwt("eve", token.RoleListener)
	h.do(m, "create", host, `{"room":"town"}`)
	done, slowed := 0, 0
	for i := range 1000 {
		switch status, body, header := h.ask(m, "POST", "/v1/rooms/town/hands", flood, fmt.Sprintf(`{"up":%v}`, i%2 == 0)); status {
		case 200:
			done++
		case 429:
			slowed++
			if header.Get("Retry-After") == "" {
				t.Fatal("no Retry-After")
			}
		default:
			t.Fatalf("%d %s", status, body)
		}
	}
	if done == 0 || slowed == 0 {
		t.Errorf("%d done, %d slowed down", done, slowed)
	}
	if v := m.room("town").Version; v > uint64(1+done) {
		t.Errorf("version %d after %d commands", v, done)
	}
	// Who comes from the same address shares what that may send, and has its turn.
	eventually(t, "another's command is done", func() bool {
		status, _, _ := h.ask(m, "POST", "/v1/rooms/town/invite", host, `{"who":"bob"}`)
		return status == 200
	})
}

// A listener who is made a speaker may publish by the session it has, under the own
// name and no other.
func TestPromotedListenerSpeaks(t *testing.T) {
	h := newHouse(t, 2, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	h.do(h.relays[0], "create", host, `{"room":"town"}`)
	eve := newVoice(t, "town/Eve")
	eve.publish(h.relays[1].URL()+"/town", client.Options{Token: h.jwt("eve", token.RoleListener)})
	h.do(h.relays[1], "hands", h.jwt("eve", token.RoleListener), `{}`)
	var hands struct{ Hands []string }
	eventually(t, "the hand is up", func() bool {
		_, body, _ := h.ask(h.relays[0], "GET", "/v1/rooms/town/hands", host, "")
		return json.Unmarshal(body, &hands) == nil && len(hands.Hands) == 1 && hands.Hands[0] == "eve"
	})
	h.do(h.relays[0], "invite", host, `{"who":"eve"}`)
	eve.speak(1)
	e, _ := subscribe(t, dial(t, h.relays[0].URL(), client.Options{Token: h.jwt("fay", token.RoleListener)}), "town/Eve", protocol.TrackAudio, protocol.Delivery{})
	eve.until(e)
	eventually(t, "she is on the stage, her hand is down", func() bool {
		p, _ := h.person(h.relays[0], "Eve")
		return p.Role == token.RoleSpeaker && h.relays[0].room("town").Hands == 0
	})
	// A namesake gets a name of his own.
	twin := h.jwt("eve2", token.RoleListener, func(c *token.Claims) { c.Name = "Eve" })
	h.do(h.relays[0], "invite", host, `{"who":"eve2"}`)
	second := newVoice(t, "town/twin")
	second.publish(h.relays[0].URL()+"/town", client.Options{Token: twin, Role: protocol.RolePublisher})
	eventually(t, "both speak", func() bool {
		speakers := h.relays[1].room("town").Speakers
		return len(speakers) == 2 && speakers[0].Name == "Eve" && strings.HasPrefix(speakers[1].Name, "Eve~")
	})
	// What is not granted is not published.
	h.do(h.relays[0], "promote", host, `{"who":"eve","role":"listener"}`)
	before := e.heard()
	eve.more(20)
	time.Sleep(300 * time.Millisecond)
	after := e.heard()
	eve.more(20)
	time.Sleep(200 * time.Millisecond)
	if n := e.heard(); n != after {
		t.Errorf("heard %d, %d and %d groups, though no speaker any more", before, after, n)
	}
}

// told waits for the end of a session and returns why.
func told(t *testing.T, s *client.Session) error {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("the session is still there")
	}
	return s.Err()
}

func TestRemovedBannedAndEnded(t *testing.T) {
	h := newHouse(t, 2, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	h.do(h.relays[0], "create", host, `{"room":"town"}`)
	come := func(subject string) *client.Session {
		return dial(t, h.relays[1].URL()+"/town", client.Options{Token: h.jwt(subject, token.RoleSpeaker)})
	}
	turned := func(jwt, words string) {
		t.Helper()
		s, err := client.Dial(within(t), h.relays[1].URL()+"/town", client.Options{Token: jwt, Transport: client.QUIC})
		if err == nil {
			err = told(t, s)
			s.Close()
		}
		if !errors.Is(err, client.ErrNotAllowed) || !strings.Contains(err.Error(), words) {
			t.Errorf("came in, or was told %v", err)
		}
	}
	eve, mal, ada := come("eve"), come("mal"), come("ada")
	eventually(t, "all are there", func() bool { return len(h.relays[0].room("town").Stage) == 4 })
	h.do(h.relays[0], "remove", host, `{"who":"eve"}`)
	if err := told(t, eve); !errors.Is(err, client.ErrNotAllowed) || !strings.Contains(err.Error(), "removed") {
		t.Errorf("told %v", err)
	}
	back := come("eve") // to listen
	h.do(h.relays[0], "ban", host, `{"who":"mal"}`)
	if err := told(t, mal); !errors.Is(err, client.ErrNotAllowed) || !strings.Contains(err.Error(), "banned") {
		t.Errorf("told %v", err)
	}
	turned(h.jwt("mal", token.RoleSpeaker), "banned")
	select {
	case <-back.Done():
		t.Errorf("who was removed may not listen: %v", back.Err())
	case <-time.After(100 * time.Millisecond):
	}

	e := newEar()
	info, err := ada.TrackInfo(within(t), ".stentor/rooms/town", "state")
	if err != nil || info.Timescale == 0 {
		t.Fatal(info, err)
	}
	if _, err := ada.Subscribe(within(t), protocol.Subscribe{Broadcast: ".stentor/rooms/town", Track: "state"}, e); err != nil {
		t.Fatal(err)
	}
	phase := func() stage.View { return e.view(t) }
	eventually(t, "the state is told", func() bool { return phase().State == stage.Live })
	h.do(h.relays[0], "end", host, `{}`)
	eventually(t, "the end is told", func() bool { return phase().State == stage.Ended })
	if err := told(t, ada); !errors.Is(err, client.ErrNotAllowed) || !strings.Contains(err.Error(), "ended") {
		t.Errorf("told %v", err)
	}
	turned(h.jwt("ada", token.RoleSpeaker), "ended")
	if status, body, _ := h.ask(h.relays[1], "POST", "/v1/rooms/town/mute", host, `{"who":"ada"}`); status != 410 {
		t.Errorf("%d %s", status, body)
	}
	if r := h.relays[1].room("town"); r.State != "ended" {
		t.Errorf("%+v", r)
	}
}

// A host is gone, a co-host stands in, the host comes back.
func TestCohostStandsIn(t *testing.T) {
	h := newHouse(t, 2, relay.Config{HostGrace: time.Second})
	host, cohost := h.jwt("boss", token.RoleHost), h.jwt("carl", token.RoleCohost)
	h.do(h.relays[0], "create", host, `{"room":"town"}`)
	boss := dial(t, h.relays[0].URL()+"/town", client.Options{Token: host})
	dial(t, h.relays[1].URL()+"/town", client.Options{Token: cohost})
	role := func(name string) token.Role { p, _ := h.person(h.relays[0], name); return p.Role }
	eventually(t, "both are on the stage", func() bool { return role("Boss") == token.RoleHost && role("Carl") == token.RoleCohost })
	if status, _, _ := h.ask(h.relays[1], "POST", "/v1/rooms/town/ban", cohost, `{"who":"mal"}`); status != 403 {
		t.Errorf("a co-host bans: %d", status)
	}
	boss.Close()
	eventually(t, "the co-host stands in", func() bool { return role("Carl") == token.RoleHost })
	h.do(h.relays[1], "ban", cohost, `{"who":"mal"}`)
	dial(t, h.relays[1].URL()+"/town", client.Options{Token: host})
	eventually(t, "the host is host again", func() bool { return role("Carl") == token.RoleCohost })
}

// A room outlives each of its roots, and both, and even all relays that knew it, as
// long as a host's client has its copy.
func TestRoomStateOutlivesItsRoots(t *testing.T) {
	h := newHouse(t, 4, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	h.do(h.relays[0], "create", host, `{"room":"town","title":"Town hall"}`)
	h.do(h.relays[0], "ban", host, `{"who":"mal"}`)
	byName := make(map[string]*member)
	for _, m := range h.relays {
		byName[m.Name()] = m
	}
	v := newVoice(t, "town/boss")
	v.publish(h.relays[0].URL()+"/town", client.Options{Token: host})
	v.speak(1)
	tree := h.relays[0].tree("town", 4-countOthers(h.relays, h.relays[0], "town"))
	var left []*member
	for _, m := range h.relays {
		if m.Name() != tree.Red && m.Name() != tree.Blue {
			left = append(left, m)
		}
	}
	here := left[0]
	boss := dial(t, here.URL()+"/town", client.Options{Token: host})
	var document []byte
	copied := newEar()
	if _, err := boss.TrackInfo(within(t), ".stentor/rooms/town", "stage"); err != nil {
		t.Fatal(err)
	}
	if _, err := boss.Subscribe(within(t), protocol.Subscribe{Broadcast: ".stentor/rooms/town", Track: "stage"}, copied); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the host has a copy", func() bool {
		copied.mu.Lock()
		defer copied.mu.Unlock()
		for _, frames := range copied.groups {
			if s, err := stage.Decode(frames[0].Payload, "town"); err == nil && s.Banned("mal") {
				document = bytes.Clone(frames[0].Payload)
			}
		}
		return document != nil
	})
	alive := func(when string, at *member) {
		t.Helper()
		began := time.Now()
		eventually(t, when+": the room is as it was", func() bool { return at.room("town").Title == "Town hall" })
		for {
			status, body, _ := h.ask(at, "POST", "/v1/rooms/town/invite", host, `{"who":"`+strings.ReplaceAll(when, " ", "-")+`"}`)
			if status == 200 {
				break
			}
			if status != 503 || time.Since(began) > 20*time.Second {
				t.Fatalf("%s: %d %s", when, status, body)
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Logf("%s: commands are taken after %v", when, time.Since(began).Round(time.Millisecond))
		status, body, _ := h.ask(at, "POST", "/v1/rooms/town/hands", h.jwt("mal", token.RoleListener), `{}`)
		if status != 403 {
			t.Errorf("%s: who was banned is not any more: %d %s", when, status, body)
		}
	}
	byName[tree.Red].leave()
	alive("without the red root", left[1])
	byName[tree.Blue].leave()
	alive("without both roots", left[1])

	// All relays go, and one comes that has nobody to ask.
	boss.Close()
	left[0].leave()
	left[1].leave()
	fresh := h.build(relay.Config{})
	if r := fresh.room("town"); r.Title != "" {
		t.Fatalf("a relay that stands alone knows %+v", r)
	}
	if status, body, _ := h.ask(fresh, "POST", "/v1/rooms/town/state", host, string(document)); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	eventually(t, "the room is back", func() bool { return fresh.room("town").Title == "Town hall" })
	if status, _, _ := h.ask(fresh, "POST", "/v1/rooms/town/hands", h.jwt("mal", token.RoleListener), `{}`); status != 403 {
		t.Errorf("who was banned may raise a hand: %d", status)
	}
}

// A room is announced: nobody is heard until its time has come, then everybody.
func TestAnnouncedRoomBeginsOnTime(t *testing.T) {
	h := newHouse(t, 2, relay.Config{})
	host := h.jwt("boss", token.RoleHost)
	starts := time.Now().Add(2500 * time.Millisecond)
	h.do(h.relays[0], "create", host, fmt.Sprintf(`{"room":"town","starts":%q}`, starts.Format(time.RFC3339Nano)))
	if r := h.relays[1].room("town"); r.State != "announced" || r.Starts == nil || r.Starts.Sub(starts).Abs() > time.Second {
		t.Errorf("%+v", r)
	}
	v := newVoice(t, "town/boss")
	v.publish(h.relays[0].URL()+"/town", client.Options{Token: host})
	v.speak(1)
	e, _ := subscribe(t, dial(t, h.relays[1].URL(), client.Options{Token: h.jwt("eve", token.RoleListener)}), "town/boss", protocol.TrackAudio, protocol.Delivery{})
	v.chatter(10 * time.Millisecond)
	eventually(t, "it is heard", func() bool { return e.heard() > 0 })
	if early := time.Until(starts); early > 0 {
		t.Errorf("heard %v too early", early)
	}
	eventually(t, "it is live", func() bool { return h.relays[1].room("town").State == "live" })
}

// On a relay that is open everybody is host, but for the pages of others.
func TestOpenRelayIsEverybodys(t *testing.T) {
	h := &house{t: t, web: http.DefaultClient}
	m := join(t, relay.Config{Name: "relay-0", HTTP: "127.0.0.1:0"})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	post := func(path, origin, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(within(t), "POST", "http://"+m.HTTPAddr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		resp, err := h.web.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	v := newVoice(t, "town/ada")
	v.publish(m.URL(), client.Options{})
	v.speak(1)
	e, _ := subscribe(t, dial(t, m.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	v.chatter(10 * time.Millisecond)
	eventually(t, "heard", func() bool { return e.heard() > 5 })
	if status := post("/v1/rooms", "https://evil.example", `{"room":"town"}`); status != 403 {
		t.Errorf("another origin's page makes a room: %d", status)
	}
	if status := post("/v1/rooms", "http://"+m.HTTPAddr().String(), `{"room":"town"}`); status != 200 {
		t.Errorf("create: %d", status)
	}
	eventually(t, "ada is on the stage", func() bool { _, ok := h.person(m, "ada"); return ok })
	if status := post("/v1/rooms/town/mute", "", `{"who":"ada"}`); status != 200 {
		t.Errorf("mute: %d", status)
	}
	n := e.heard()
	time.Sleep(300 * time.Millisecond)
	if now := e.heard(); now > n+5 {
		t.Errorf("%d groups of a muted speaker", now-n)
	}
	if status := post("/v1/rooms/town/hands", "", `{"as":"bob"}`); status != 200 || m.room("town").Hands != 1 {
		t.Errorf("hand: %d, %d are up", status, m.room("town").Hands)
	}
}

// Where everybody may listen, nobody may do more without a token.
func TestOpenToListeners(t *testing.T) {
	h := newHouse(t, 1, relay.Config{OpenListen: true})
	m := h.relays[0]
	v := newVoice(t, "town/ada")
	v.publish(m.URL()+"/town", client.Options{Token: h.jwt("ada", token.RoleSpeaker)})
	v.speak(1)
	e, _ := subscribe(t, dial(t, m.URL(), client.Options{}), "town/ada", protocol.TrackAudio, protocol.Delivery{})
	v.until(e)
	mute := newVoice(t, "town/eve")
	if err := mute.sentAway(m.URL()+"/town", client.Options{Role: protocol.RolePublisher, Transport: client.QUIC}); !errors.Is(err, client.ErrNotAllowed) {
		t.Errorf("speaks without a token: %v", err)
	}
	if status, _, _ := h.ask(m, "POST", "/v1/rooms", "", `{"room":"town"}`); status != 403 {
		t.Errorf("makes a room without a token: %d", status)
	}
}

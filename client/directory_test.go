package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
)

var (
	hashA = strings.Repeat("aa", 32)
	hashB = strings.Repeat("bb", 32)
	hashC = strings.Repeat("cc", 32)
)

// at is an entry of a list as a relay writes it.
func entryAt(name, url, hash string) string {
	return fmt.Sprintf(`{"name":%q,"url":%q,"zone":"par","certificate_sha256":%q,"load":37,"packet":"60ms"}`, name, url, hash)
}

func listOf(entries ...string) string {
	return `{"relays":[` + strings.Join(entries, ",") + `],"retry_after_ms":0}`
}

// TestParseRelays holds what a list can say: what makes no sense is left out.
func TestParseRelays(t *testing.T) {
	good := entryAt("relay-a", "https://a.example:4443/town", hashA)
	tests := []struct {
		name string
		list string
		want string // names
		bad  bool
	}{
		{"one", listOf(good), "relay-a", false},
		{"none", listOf(), "", false},
		{"an empty object", `{}`, "", false},
		{"null", `null`, "", false},
		{"a page", `<!doctype html>`, "", true},
		{"cut short", good[:20], "", true},
		{"nothing at all", ``, "", true},
		{"other types", `{"relays":[{"name":3}]}`, "", true},
		{"no name", listOf(entryAt("", "https://a.example", hashA), good), "relay-a", false},
		{"an endless name", listOf(entryAt(strings.Repeat("x", 1000), "https://a.example", hashA), good), "relay-a", false},
		{"no URL", listOf(entryAt("x", "", hashA), good), "relay-a", false},
		{"another scheme", listOf(entryAt("x", "file:///etc/passwd", hashA), good), "relay-a", false},
		{"in the clear", listOf(entryAt("x", "http://a.example", hashA), good), "relay-a", false},
		{"with credentials", listOf(entryAt("x", "https://me:secret@a.example", hashA), good), "relay-a", false},
		{"a hash that is none", listOf(entryAt("x", "https://a.example", "cafe"), good), "relay-a", false},
		{"no hash", listOf(entryAt("x", "https://x.example", ""), good), "x relay-a", false},
		{"unknown fields", `{"version":9,"relays":[{"name":"x","url":"https://x.example","colour":"red"}]}`, "x", false},
		{"who is gone", `{"relays":[` + good + `],"gone":["relay-b","relay-c"]}`, "relay-a -relay-b -relay-c", false},
		{"who is gone, in other words", `{"gone":"relay-b"}`, "", true},
		{"very many gone", `{"gone":["` + strings.Repeat(`b","`, 99) + `b"]}`, strings.TrimSpace(strings.Repeat("-b ", maxListed)), false},
		{"very many", listOf(strings.Split(strings.Repeat(good+"|", 99)+good, "|")...), strings.TrimSpace(strings.Repeat("relay-a ", maxListed)), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := parseRelays([]byte(tt.list))
			var names []string
			for _, r := range list.Relays {
				names = append(names, r.Name)
			}
			for _, name := range list.Gone {
				names = append(names, "-"+name)
			}
			if strings.Join(names, " ") != tt.want || (err != nil) != tt.bad {
				t.Errorf("%v, %v; want %q", names, err, tt.want)
			}
		})
	}
}

func FuzzParseRelays(f *testing.F) {
	f.Add([]byte(listOf(entryAt("relay-a", "https://a.example:4443/town", hashA))))
	f.Add([]byte(`{"relays":[{"name":"x","url":"https://[::1]","certificates_sha256":["aa"]}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		list, err := parseRelays(document)
		if err != nil {
			return
		}
		d, err := newDirectory([]string{"https://own.example/town?jwt=secret"})
		if err != nil {
			t.Fatal(err)
		}
		d.learn(list, nil)
		for _, c := range d.candidates() {
			if _, err := parseURL(c.URL); err != nil || c.Name == "" {
				t.Fatalf("candidate %+v: %v", c, err)
			}
		}
	})
}

// with is a line to a relay that showed a certificate.
func with(t *testing.T, url, hash string) *line {
	t.Helper()
	e, err := parseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{endpoint: e, leaf: new(shown)}
	if hash != "" {
		h, err := ParseHash(hash)
		if err != nil {
			t.Fatal(err)
		}
		s.leaf.Store(&h)
	}
	return &line{session: s}
}

// TestDirectory is what becomes of lists: whom to dial, under which name, how.
func TestDirectory(t *testing.T) {
	a := entryAt("relay-a", "https://a.example:4443/town", hashA)
	b := entryAt("relay-b", "https://b.example:4443/town", hashB)
	sameCert := entryAt("relay-b", "https://b.example:4443/town", hashA)
	tests := []struct {
		name string
		own  []string
		at   string // where the list came by; empty: a lobby's
		leaf string
		list string
		want string
	}{
		{"nothing known", []string{"https://a.example:4443/town", "https://b.example:4443"}, "", "", listOf(),
			"a.example:4443=https://a.example:4443/town b.example:4443=https://b.example:4443"},
		{"listed, and the one we are at is known", []string{"https://a.example:4443/town"}, "https://a.example:4443/town", hashA, listOf(a, b),
			"relay-a=https://a.example:4443/town relay-b=https://b.example:4443/town"},
		{"the one we are at is known by another address", []string{"https://127.0.0.1:4443/town"}, "https://127.0.0.1:4443/town", hashA, listOf(a, b),
			"relay-a=https://127.0.0.1:4443/town relay-b=https://b.example:4443/town"},
		{"and cannot be told", []string{"https://127.0.0.1:4443/town"}, "https://127.0.0.1:4443/town", hashC, listOf(a, b),
			"relay-a=https://a.example:4443/town relay-b=https://b.example:4443/town 127.0.0.1:4443=https://127.0.0.1:4443/town"},
		{"one certificate for all", []string{"https://127.0.0.1:4443/town"}, "https://127.0.0.1:4443/town", hashA, listOf(a, sameCert),
			"relay-a=https://127.0.0.1:4443/town relay-b=https://b.example:4443/town"},
		{"a lobby's", []string{"https://a.example:4443/town"}, "", "", listOf(b),
			"relay-b=https://b.example:4443/town a.example:4443=https://a.example:4443/town"},
		{"token and path are ours", []string{"https://a.example:4443/town/ada?jwt=abc"}, "", "", listOf(a, b),
			"relay-a=https://a.example:4443/town/ada?jwt=abc relay-b=https://b.example:4443/town/ada?jwt=abc"},
		{"so is the transport", []string{"moqt://a.example:4443"}, "", "", listOf(b),
			"relay-b=moqt://b.example:4443 a.example:4443=moqt://a.example:4443"},
		{"in the clear is for one's own", []string{"http://127.0.0.1:8080/town"}, "", "", listOf(b),
			"relay-b=https://b.example:4443/town 127.0.0.1:8080=http://127.0.0.1:8080/town"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := newDirectory(tt.own)
			if err != nil {
				t.Fatal(err)
			}
			list, err := parseRelays([]byte(tt.list))
			if err != nil {
				t.Fatal(err)
			}
			var l *line
			if tt.at != "" {
				l = with(t, tt.at, tt.leaf)
			}
			for range 2 { // again is no news
				d.learn(list, l)
			}
			var got []string
			for _, c := range d.candidates() {
				got = append(got, c.Name+"="+c.URL)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("candidates\n%s, want\n%s", strings.Join(got, " "), tt.want)
			}
		})
	}
}

// TestDirectoryRemembers: an empty list changes nothing, and a relay found under
// an address of ours is looked for there later, whoever tells of it.
func TestDirectoryRemembers(t *testing.T) {
	d, err := newDirectory([]string{"https://127.0.0.1:4443"})
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) relayList {
		list, err := parseRelays([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	a, b := entryAt("relay-a", "https://a.example", hashA), entryAt("relay-b", "https://b.example", hashB)
	d.learn(parse(listOf(a, b)), with(t, "https://127.0.0.1:4443", hashA))
	if d.learn(parse(listOf()), nil) || len(d.candidates()) != 2 {
		t.Errorf("an empty list leaves %+v", d.candidates())
	}
	d.learn(parse(listOf(b, a)), with(t, "https://b.example", hashB))
	c := d.candidates()
	if len(c) != 2 || c[0].Name != "relay-b" || c[1].URL != "https://127.0.0.1:4443" || c[1].Name != "relay-a" {
		t.Errorf("candidates %+v", c)
	}
	if d.name("127.0.0.1:4443") != "relay-a" || d.name("b.example:443") != "relay-b" || d.name("c.example:443") != "c.example:443" {
		t.Errorf("names %v", d.names)
	}
	// Refusals for good count until nobody is left.
	no := notAllowed.of("x", nil)
	d.refuse(c[0], no)
	d.refuse(c[0], unreachable.of("x", nil))
	if d.hopeless() {
		t.Error("hopeless although one is left")
	}
	d.refuse(c[1], no)
	if !d.hopeless() || !d.isOwn(c[1]) || d.isOwn(c[0]) {
		t.Error("not hopeless, or whose relay it is unknown")
	}
	d.accept(c[0])
	if d.hopeless() {
		t.Error("hopeless although one took us")
	}
}

// TestAskLobby asks real servers: the first that makes sense answers.
func TestAskLobby(t *testing.T) {
	var asked []string
	serve := func(status int, body string) (endpoint, string) {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.String())
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}))
		t.Cleanup(s.Close)
		e, err := parseURL(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		leaf := with(t, "https://x", "")
		cfg := leaf.session.leaf.watch(tlsConfig(e, Options{}.withDefaults(), nil))
		if _, err := askLobby(t.Context(), e, Options{TLS: cfg}.withDefaults(), "/"); err != nil && !errors.Is(err, errLobby) && status != 200 {
			t.Fatal(err)
		}
		return e, leaf.session.leaf.Load().String()
	}
	list := listOf(entryAt("relay-b", "https://b.example", hashB))
	good, hash := serve(200, list)
	busy, _ := serve(503, `{"error":{"code":"full"}}`)
	strange, _ := serve(200, `<html>`)
	asked = nil
	r := &roamer{purpose: "listen", room: "große Halle"}
	candidate := func(e endpoint, hashes ...string) hop.Candidate {
		return hop.Candidate{URL: e.url(), Hashes: hashes}
	}
	for _, tt := range []struct {
		name  string
		where []hop.Candidate
		o     Options
		ok    bool
	}{
		{"one", []hop.Candidate{candidate(good)}, Options{}, true},
		{"by its hash", []hop.Candidate{candidate(good, hash)}, Options{CertificateHashes: []Hash{{}}}, true},
		{"by an old hash, and as the user says", []hop.Candidate{candidate(good, hashA)}, Options{}, true},
		{"not to be trusted", []hop.Candidate{candidate(good, hashA)}, Options{CertificateHashes: []Hash{{}}}, false},
		{"the third", []hop.Candidate{candidate(busy), candidate(strange), candidate(good)}, Options{}, true},
		{"none answers", []hop.Candidate{candidate(busy), candidate(strange), {URL: "https://127.0.0.1:1"}}, Options{}, false},
		{"none to ask", nil, Options{}, false},
		{"no TCP", []hop.Candidate{candidate(good)}, Options{DialTCP: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("no TCP here")
		}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.options = tt.o
			list, err := r.askInTurn(t.Context(), tt.where, []string{"relay-a"})
			if got := len(list.Relays) == 1 && list.Relays[0].Name == "relay-b"; got != tt.ok || tt.ok && err != nil {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
	const want = "/v1/rooms/gro%C3%9Fe%20Halle/relays?exclude=relay-a&n=4&purpose=listen"
	if len(asked) == 0 || asked[0] != want {
		t.Errorf("asked for %v, want %q", asked, want)
	}
}

// TestRoute asks the system for real.
func TestRoute(t *testing.T) {
	from, ok := route(netip.MustParseAddr("127.0.0.1"))
	if !ok || !from.IsLoopback() {
		t.Errorf("from %v to this machine", from)
	}
}

func TestToggle(t *testing.T) {
	var g toggle
	waited := make(chan error, 1)
	go func() { waited <- g.wanted(within(t)) }()
	_, changed := g.get()
	g.set(false)
	select {
	case <-changed:
		t.Error("changed to what it was")
	default:
	}
	g.set(true)
	<-changed
	if err := <-waited; err != nil {
		t.Error(err)
	}
	g.set(false)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := g.wanted(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the end of ctx", err)
	}
}

package membership

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSeekDelay(t *testing.T) {
	tests := []struct {
		relays, alone, together int
		want                    time.Duration
	}{
		{1, 0, 0, 250 * time.Millisecond},
		{1, 1, 0, 250 * time.Millisecond},
		{1, 2, 0, 500 * time.Millisecond},
		{1, 6, 0, 8 * time.Second},
		{1, 7, 0, 10 * time.Second},
		{1, 1 << 40, 0, 10 * time.Second},
		{2, 0, 1, time.Second},
		{2, 0, 2, 2 * time.Second},
		{2, 0, 3, 10 * time.Second},
		{10, 0, 100, 10 * time.Second},
		{200, 0, 100, 200 * time.Second},
		{2, 5, 0, 10 * time.Second}, // others came to it
	}
	for _, tt := range tests {
		for jitter, want := range map[float64]time.Duration{0: tt.want / 2, 0.5: tt.want, 1: tt.want * 3 / 2} {
			if got := seekDelay(tt.relays, tt.alone, tt.together, jitter); got != want {
				t.Errorf("%d relays, alone %d, together %d, jitter %v: %v, want %v", tt.relays, tt.alone, tt.together, jitter, got, want)
			}
		}
	}
}

func TestSeekTargets(t *testing.T) {
	at := func(hosts ...byte) (all []netip.AddrPort) {
		for _, h := range hosts {
			all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, h}), 7946))
		}
		return all
	}
	tests := []struct {
		name                 string
		seeds, members, lost []netip.AddrPort
		settling             bool
		want                 []netip.AddrPort // own is host 1
	}{
		{"nobody", nil, nil, nil, false, nil},
		{"only itself", at(1), nil, nil, false, nil},
		{"seeds", at(1, 2, 3), nil, nil, false, at(2, 3)},
		{"no more than four", at(2, 3, 4, 5, 6), nil, nil, false, at(2, 3, 4, 5)},
		{"a place is kept for one that vanished", at(2, 3, 4, 5, 6), nil, at(7, 8), false, at(2, 3, 4, 7)},
		{"a seed that vanished is asked once", at(2, 3), nil, at(2), false, at(2, 3)},
		{"a name listed twice", at(2, 2, 2), nil, nil, false, at(2)},
		{"members are not asked", at(2, 3), at(2, 9), at(4), false, at(3, 4)},
		{"all are members", at(2, 3), at(2, 3), nil, false, nil},
		{"settling", at(2, 3), at(2, 3, 4), nil, true, at(2)},
		{"settling, the seed is no member", at(2), at(3), nil, true, at(3, 2)},
	}
	keep := func([]netip.AddrPort) {}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			seeds := slices.Clone(tt.seeds)
			got := seekTargets(seeds, tt.members, tt.lost, at(1)[0], tt.settling, keep)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if shuffled := seekTargets(seeds, tt.members, tt.lost, at(1)[0], tt.settling, shuffled); len(shuffled) != len(tt.want) {
				t.Errorf("in random order %v", shuffled)
			}
			if !slices.Equal(seeds, tt.seeds) {
				t.Error("the seeds were changed")
			}
		})
	}
}

// names resolves the names of a test.
type hostNames struct {
	mu sync.Mutex
	at map[string][]netip.Addr
}

func (h *hostNames) set(host string, at ...netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ips []netip.Addr
	for _, a := range at {
		ips = append(ips, a.Addr())
	}
	h.at[host] = ips
}

func (h *hostNames) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	h.mu.Lock()
	at, ok := h.at[host]
	h.mu.Unlock()
	switch {
	case host == "hangs":
		<-ctx.Done()
		return nil, ctx.Err()
	case !ok:
		return nil, fmt.Errorf("no such host")
	}
	return at, nil
}

// TestASeedIsANameOfMany: one of its addresses is the relay's own, some are
// dead, one lives.
func TestASeedIsANameOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		dns := &hostNames{at: make(map[string][]netip.Addr)}
		dead, hole, own := f.net.Listen(), f.net.Listen(), f.net.Listen()
		_ = dead.Shutdown()
		hole.SetDown(true)
		a := f.start("a")
		dns.set("relays", dead.Addr(), own.Addr(), hole.Addr(), a.Addr())
		b := f.start("b", func(c *Config) {
			c.Transport = own
			c.Lookup = dns.lookup
			c.Join = []string{"nowhere:7946", "relays:7946", "hangs:7946"}
		})
		a.sees(t, "a", "b")
		b.sees(t, "a", "b")
	})
}

// TestASeedThatComesLater is found, after hours of asking in vain, within the
// longest pause; and looked up anew each time.
func TestASeedThatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		dns := &hostNames{at: make(map[string][]netip.Addr)}
		seeds := func(c *Config) { c.Lookup, c.Join = dns.lookup, []string{"seed:7946"} }
		a := f.start("a", seeds)
		time.Sleep(3 * time.Hour)
		a.sees(t, "a")

		b := f.start("b", func(c *Config) { c.Join = nil })
		dns.set("seed", b.Addr())
		start := time.Now()
		a.sees(t, "a", "b")
		if took, most := time.Since(start), seekAlone*3/2+lookupTimeout; took > most {
			t.Errorf("took %v, want at most %v", took, most)
		}

		b.crash() // and another takes the name's place
		a.sees(t, "a")
		c := f.start("c", func(c *Config) { c.Join = nil })
		dns.set("seed", c.Addr())
		a.sees(t, "a", "c")
	})
}

// TestOneKnowsAnother: each is told another seed, and all find each other.
func TestOneKnowsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		var names []string
		for i := range 8 {
			names = append(names, fmt.Sprintf("r%d", i))
			f.start(names[i], func(c *Config) {
				if i > 0 {
					c.Join = []string{f.all[i-1].Addr().String()}
				}
			})
		}
		f.allSee(t, names...)
	})
}

// TestConfig is what New refuses.
func TestConfig(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		ok     bool
	}{
		{"a key and every address", func(c *Config) { c.Bind, c.Advertise = "0.0.0.0:0", "127.0.0.1:0" }, true},
		{"no key on a loopback address", func(c *Config) { c.Keys = nil }, true},
		{"no key on localhost", func(c *Config) { c.Keys, c.Bind = nil, "localhost:0" }, true},
		{"no key on every address", func(c *Config) { c.Keys, c.Bind = nil, ":0" }, false},
		{"no key on a name", func(c *Config) { c.Keys, c.Bind = nil, "gossip.example:0" }, false},
		{"no key on another address", func(c *Config) { c.Keys, c.Bind = nil, "192.0.2.1:7946" }, false},
		{"no name", func(c *Config) { c.Self.Name = "" }, false},
		{"a name with a slash", func(c *Config) { c.Self.Name = "a/b" }, false},
		{"a URL in the clear", func(c *Config) { c.Self.URL = "http://a" }, false},
		{"nowhere to listen", func(c *Config) { c.Bind = "" }, false},
		{"no port", func(c *Config) { c.Bind = "127.0.0.1" }, false},
		{"port 65536", func(c *Config) { c.Bind = "127.0.0.1:65536" }, false},
		{"a name for a port", func(c *Config) { c.Bind = "127.0.0.1:gossip" }, false},
		{"an address that is not here", func(c *Config) { c.Bind = "192.0.2.1:0" }, false},
		{"a host that is not found", func(c *Config) { c.Bind = "nowhere:0" }, false},
		{"to advertise without a host", func(c *Config) { c.Advertise = ":7946" }, false},
		{"to advertise a host that is not found", func(c *Config) { c.Advertise = "nowhere:7946" }, false},
		{"a seed without a port", func(c *Config) { c.Join = []string{"a.example"} }, false},
		{"a seed without a host", func(c *Config) { c.Join = []string{":7946"} }, false},
		{"a seed with port 0", func(c *Config) { c.Join = []string{"a.example:0"} }, false},
		{"an empty seed", func(c *Config) { c.Join = []string{""} }, false},
		{"more seeds than anybody means", func(c *Config) { c.Join = slices.Repeat([]string{"a.example:1"}, maxJoin+1) }, false},
	}
	dns := &hostNames{at: map[string][]netip.Addr{"localhost": {netip.MustParseAddr("127.0.0.1")}}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Config{Self: relayA(), Bind: "127.0.0.1:0", Keys: []Key{keyA}, Lookup: dns.lookup}
			tt.change(&c)
			d, err := New(c)
			if (err == nil) != tt.ok {
				t.Errorf("New = %v, want it to work: %v", err, tt.ok)
			}
			if err == nil {
				if d.Addr().Port() == 0 || d.Addr().Addr().IsUnspecified() {
					t.Errorf("others are told %v", d.Addr())
				}
				_ = d.Close()
			}
		})
	}
}

// TestAPortInUse is an error of New, and nothing is left behind.
func TestAPortInUse(t *testing.T) {
	c := Config{Self: relayA(), Bind: "127.0.0.1:0", Keys: []Key{keyA}}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Bind = a.Addr().String()
	if b, err := New(c); err == nil {
		_ = b.Close()
		t.Error("two directories on one port")
	}
	_ = a.Close()
	b, err := New(c)
	if err != nil {
		t.Fatalf("the port is not free again: %v", err)
	}
	_ = b.Close()
}

// TestOverSockets is UDP and TCP on the loopback, by the real clock.
func TestOverSockets(t *testing.T) {
	f := newFleet(t)
	sockets := func(c *Config) { c.Transport, c.Bind = nil, "127.0.0.1:0" }
	a := f.start("a", sockets)
	b := f.start("b", sockets)
	f.start("c", sockets)
	f.allSee(t, "a", "b", "c")
	b.SetState(Draining)
	if err := a.eventually("b drains", func(relays []Relay) bool {
		r, _ := Find(relays, "b")
		return r.State == Draining
	}); err != nil {
		t.Error(err)
	}
	b.leave()
	if !errors.Is(b.err, errStopped) {
		t.Errorf("Run = %v", b.err)
	}
	a.sees(t, "a", "c")

	at := b.Addr().String() // and comes back to the port it had
	f.start("b", sockets, func(c *Config) { c.Bind = at })
	a.sees(t, "a", "b", "c")
}

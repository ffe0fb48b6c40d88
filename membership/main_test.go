package membership

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/membership/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// errStopped is why a test ends a directory.
var errStopped = errors.New("stopped by the test")

// A fleet is the relays of a test, on a network in memory.
type fleet struct {
	t    testing.TB
	net  *memnet.Network
	keys []Key
	all  []*member
}

type member struct {
	*Directory
	endpoint *memnet.Endpoint
	stop     context.CancelCauseFunc
	done     chan struct{}
	err      error // why Run ended, after done
}

func newFleet(t testing.TB) *fleet {
	f := &fleet{t: t, net: &memnet.Network{}, keys: []Key{keyA}}
	t.Cleanup(f.stopAll)
	return f
}

// start adds a relay that joins at the first one. The options may change what
// it is told.
func (f *fleet) start(name string, options ...func(*Config)) *member {
	f.t.Helper()
	m, err := f.tryStart(name, options...)
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

func (f *fleet) tryStart(name string, options ...func(*Config)) (*member, error) {
	m := &member{endpoint: f.net.Listen(), done: make(chan struct{})}
	cfg := Config{Self: relayA(), Keys: f.keys, Transport: m.endpoint}
	cfg.Self.Name = name
	cfg.Self.Addr = name + ":4443"
	cfg.Self.Started = time.Time{}
	if testing.Verbose() {
		cfg.Logger = slog.New(slog.NewTextHandler(f.t.Output(), nil)).With("at", name)
	}
	if len(f.all) > 0 {
		cfg.Join = []string{f.all[0].Addr().String()}
	}
	for _, o := range options {
		o(&cfg)
	}
	if e, ok := cfg.Transport.(*memnet.Endpoint); ok {
		m.endpoint = e
	}
	var err error
	if m.Directory, err = New(cfg); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	m.stop = stop
	f.all = append(f.all, m)
	go func() {
		defer close(m.done)
		m.err = m.Run(ctx)
	}()
	return m, nil
}

func (f *fleet) stopAll() {
	var stopping sync.WaitGroup
	for _, m := range f.all {
		stopping.Go(m.leave)
	}
	stopping.Wait()
}

// leave ends a relay and waits for it.
func (m *member) leave() {
	m.stop(errStopped)
	<-m.done
}

// crash takes a relay off the network and ends it, unheard.
func (m *member) crash() {
	m.endpoint.SetDown(true)
	m.leave()
}

// names are those a relay knows, its own included.
func (m *member) names() []string {
	var names []string
	for _, r := range m.Snapshot() {
		names = append(names, r.Name)
	}
	return names
}

// eventually waits until ok, which a change of the directory may bring about.
func (m *member) eventually(what string, ok func([]Relay) bool) error {
	limit := time.NewTimer(10 * time.Minute) // of the fake clock, or of go test
	defer limit.Stop()
	for {
		relays, next := m.Watch()
		if ok(relays) {
			return nil
		}
		select {
		case <-next:
		case <-limit.C:
			return fmt.Errorf("%s: still not %s: %v", m.cfg.Self.Name, what, relays)
		}
	}
}

// sees waits until a relay knows exactly these.
func (m *member) sees(t testing.TB, names ...string) {
	t.Helper()
	slices.Sort(names)
	err := m.eventually(fmt.Sprintf("knows %v", names), func([]Relay) bool { return slices.Equal(m.names(), names) })
	if err != nil {
		t.Fatal(err)
	}
}

// A record is every change of the directory that a member has seen.
type record struct {
	quit chan struct{}
	done chan struct{}
	seen []Relay
}

// record starts one.
func (m *member) record() *record {
	r := &record{quit: make(chan struct{}), done: make(chan struct{})}
	before, next := m.Watch()
	go func() {
		defer close(r.done)
		for {
			select {
			case <-next:
			case <-r.quit:
				return
			}
			var after []Relay
			after, next = m.Watch()
			c := Diff(before, after)
			r.seen = slices.Concat(r.seen, c.Joined, c.Changed, c.Left)
			before = after
		}
	}()
	return r
}

// stop ends the record and returns the relays that joined, changed or left.
func (r *record) stop() []Relay {
	close(r.quit)
	<-r.done
	return r.seen
}

package crowd_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/bench/voice"
	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
	"github.com/stentor-audio/stentor/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds everything a test waits for.
const patience = 20 * time.Second

func within(t *testing.T, d time.Duration) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), d)
	t.Cleanup(stop)
	return ctx
}

// A stage is a relay with a voice that speaks until the test ends.
type stage struct {
	url, address string
	voice        *voice.Voice
	end          func() // ends the relay
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{}
	ready := make(chan struct{})
	r, err := relay.New(relay.Config{
		Listen: "127.0.0.1:0", Name: "stage", Open: true,
		OnReady: func(r *relay.Relay) { s.url = r.URL(); close(ready) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := r.Run(ctx); err != nil {
			t.Errorf("relay: %v", err)
		}
	}()
	s.end = func() { stop(); <-ended }
	t.Cleanup(s.end)
	<-ready
	s.address = strings.TrimPrefix(s.url, "https://")
	s.speak(t)
	return s
}

func (s *stage) speak(t *testing.T) {
	t.Helper()
	hop := client.NewHopID()
	var err error
	if s.voice, err = voice.New("hall/ada", hop, 80); err != nil {
		t.Fatal(err)
	}
	session, err := client.Dial(within(t, patience), s.url, client.Options{
		Role: protocol.RolePublisher, HopID: hop, Publisher: s.voice,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, hush := context.WithCancel(context.Background())
	hushed := make(chan struct{})
	go func() {
		defer close(hushed)
		s.voice.Talk(ctx, 1<<30)
	}()
	t.Cleanup(func() {
		hush()
		<-hushed
		session.Close()
	})
}

func (s *stage) options(transport, track string) crowd.Options {
	return crowd.Options{
		Address: s.address, Transport: transport,
		Broadcast: "hall/ada", Track: track,
		Arrived: func(int, protocol.Datagram, time.Time) {},
	}
}

// Each listener hears each group, with what the voice said.
func TestListeners(t *testing.T) {
	const listeners, groups = 5, 10
	for _, transport := range crowd.Transports {
		for track, slots := range map[string]int{protocol.TrackAudio: 1, protocol.Track60: 3} {
			t.Run(transport+" "+track, func(t *testing.T) {
				s := newStage(t)
				o := s.options(transport, track)
				o.Listeners, o.PerSocket = listeners, 2 // three sockets
				var heard [listeners]atomic.Int64
				done := make(chan struct{}, listeners)
				var joined []int
				o.Joined = func(n int) { joined = append(joined, n) }
				o.Arrived = func(listener int, d protocol.Datagram, at time.Time) {
					if at.IsZero() || d.Sequence > s.voice.Next() {
						t.Errorf("group %d at %v", d.Sequence, at)
					}
					if slots > 1 {
						if packets, err := protocol.ParseBundle(d.Payload, slots); err != nil || len(packets) != slots {
							t.Errorf("bundle of %d: %v", len(packets), err)
						}
					}
					if heard[listener].Add(1) == groups {
						done <- struct{}{}
					}
				}
				c, err := crowd.Join(within(t, patience), o)
				if err != nil {
					t.Fatal(err)
				}
				if len(joined) != listeners || joined[listeners-1] != listeners || c.Present() != listeners {
					t.Errorf("joined %v, present %d", joined, c.Present())
				}
				for range listeners {
					<-done
				}
				c.Close()
				select {
				case <-c.Gone():
					t.Error("closing the crowd is not its losing everyone")
				default:
				}
				if err := c.Err(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// When the relay ends, everyone is gone, and the crowd says why.
func TestRelayEnds(t *testing.T) {
	for _, transport := range crowd.Transports {
		t.Run(transport, func(t *testing.T) {
			s := newStage(t)
			o := s.options(transport, protocol.TrackAudio)
			o.Listeners = 3
			c, err := crowd.Join(within(t, patience), o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			s.end()
			select {
			case <-c.Gone():
			case <-time.After(patience):
				t.Fatal("nobody noticed")
			}
			if c.Present() != 0 || c.Err() == nil {
				t.Errorf("present %d, err %v", c.Present(), c.Err())
			}
		})
	}
}

func TestJoinFails(t *testing.T) {
	s := newStage(t)
	quiet := errors.New("the caller gave up")
	tests := []struct {
		name   string
		change func(*crowd.Options)
		ctx    func(t *testing.T) context.Context
		fits   func(error) bool
	}{
		{
			name:   "no such track",
			change: func(o *crowd.Options) { o.Track = "video" },
			fits: func(err error) bool {
				var reset *session.ResetError
				return errors.As(err, &reset) && strings.Contains(err.Error(), "listener ")
			},
		},
		{
			name:   "no such broadcast, which may yet come",
			change: func(o *crowd.Options) { o.Broadcast, o.Patience = "hall/nobody", 300*time.Millisecond },
			fits:   func(err error) bool { return strings.Contains(err.Error(), "nothing came in time") },
		},
		{
			name:   "nobody answers",
			change: func(o *crowd.Options) { o.Address, o.Patience = "127.0.0.1:9", 50*time.Millisecond },
			fits:   func(err error) bool { return strings.Contains(err.Error(), "connect") },
		},
		{
			name:   "a page that is none, over WebTransport",
			change: func(o *crowd.Options) { o.Transport, o.Path = crowd.WebTransport, "/a%zz" },
			fits:   func(err error) bool { return err != nil },
		},
		{
			name: "the caller gives up",
			ctx: func(t *testing.T) context.Context {
				ctx, cancel := context.WithCancelCause(t.Context())
				cancel(quiet)
				return ctx
			},
			fits: func(err error) bool { return errors.Is(err, quiet) },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := s.options(crowd.QUIC, protocol.TrackAudio)
			o.Listeners = 3
			if tt.change != nil {
				tt.change(&o)
			}
			ctx := within(t, patience)
			if tt.ctx != nil {
				ctx = tt.ctx(t)
			}
			c, err := crowd.Join(ctx, o)
			if err == nil {
				c.Close()
				t.Fatal("it joined")
			}
			if !tt.fits(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestOptionsRefused(t *testing.T) {
	good := crowd.Options{Address: "127.0.0.1:1", Track: "t", Arrived: func(int, protocol.Datagram, time.Time) {}}
	tests := map[string]func(*crowd.Options){
		"no address":                  func(o *crowd.Options) { o.Address = "" },
		"an address without a port":   func(o *crowd.Options) { o.Address = "localhost" },
		"no track":                    func(o *crowd.Options) { o.Track = "" },
		"nobody to take what arrives": func(o *crowd.Options) { o.Arrived = nil },
		"another transport":           func(o *crowd.Options) { o.Transport = "tcp" },
		"fewer than no listeners":     func(o *crowd.Options) { o.Listeners = -1 },
		"a negative rate":             func(o *crowd.Options) { o.Rate = -1 },
		"negative sockets":            func(o *crowd.Options) { o.PerSocket = -1 },
		"negative patience":           func(o *crowd.Options) { o.Patience = -1 },
	}
	for name, change := range tests {
		o := good
		change(&o)
		if _, err := crowd.Join(t.Context(), o); !errors.Is(err, crowd.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSockets(t *testing.T) {
	for listeners, want := range map[int]int{0: 0, 1: 1, 256: 1, 257: 2, 600: 3} {
		if got := crowd.Sockets(listeners); got != want {
			t.Errorf("%d listeners take %d sockets, want %d", listeners, got, want)
		}
	}
}

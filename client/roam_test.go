package client

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/client/hop"
	"github.com/stentor-audio/stentor/protocol"
)

const (
	ms     = time.Millisecond
	second = time.Second
)

// TestListenerHops ends a relay in every way there is, while a listener plays
// 200 ms behind, and checks that nothing is missed.
func TestListenerHops(t *testing.T) {
	type relays = []*station
	tests := []struct {
		name    string
		packet  time.Duration
		jitter  time.Duration
		do      func(w *world, r relays)
		cause   string
		to      string
		standby string
	}{
		{"killed", 0, 0, func(w *world, r relays) { w.net.cut(r[0]) }, "silence", "relay-b", "relay-c"},
		{"killed, 20 ms packets", 20 * ms, 0, func(w *world, r relays) { w.net.cut(r[0]) }, "silence", "relay-b", "relay-c"},
		{"killed, 120 ms packets", 120 * ms, 0, func(w *world, r relays) { w.net.cut(r[0]) }, "silence", "relay-b", "relay-c"},
		{"killed, packets up to 20 ms late", 0, 20 * ms, func(w *world, r relays) { w.net.cut(r[0]) }, "silence", "relay-b", "relay-c"},
		{"killed in a pause", 0, 0, func(w *world, r relays) {
			w.pause.Store(true)
			time.Sleep(second)
			w.net.cut(r[0])
			time.Sleep(second)
			w.pause.Store(false)
		}, "silence", "relay-b", "relay-c"},
		{"killed as somebody begins to speak", 0, 0, func(w *world, r relays) {
			w.pause.Store(true)
			time.Sleep(second)
			w.net.cut(r[0])
			w.pause.Store(false)
		}, "silence", "relay-b", "relay-c"},
		{"closed", 0, 0, func(w *world, r relays) { r[0].newest(w).Close(0, "restarting") }, "closed", "relay-b", "relay-"},
		{"drained, with a place to go", 0, 0, func(w *world, r relays) {
			w.goaway(r[0], r[2].url()+"/town")
		}, "drain", "relay-c", "relay-b"},
		{"drained, with none", 0, 0, func(w *world, r relays) { w.goaway(r[0], "") }, "drain", "relay-b", "relay-c"},
		{"drained, to a stranger", 0, 0, func(w *world, r relays) {
			w.goaway(r[0], "https://10.9.9.9:4443/town")
		}, "drain", "relay-b", "relay-c"},
		{"the standby was killed just before, and the relay knows", 0, 0, func(w *world, r relays) {
			w.net.cut(r[1])
			time.Sleep(1200 * ms)
			w.gone.Store(r[1])
			time.Sleep(2800 * ms)
			w.net.cut(r[0])
		}, "silence", "relay-c", ""},
		{"the standby was killed before", 0, 0, func(w *world, r relays) {
			w.net.cut(r[1])
			time.Sleep(15 * second)
			w.net.cut(r[0])
		}, "silence", "relay-c", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, 3, func(w *world) {
				w.net.shake(tt.jitter)
				l, p := w.listen(ListenOptions{Packet: tt.packet})
				time.Sleep(6 * second)
				if st := l.Stats(); st.Relay != "relay-a" || st.Standby != "relay-b" {
					w.Fatalf("at %q with standby %q", st.Relay, st.Standby)
				}
				tt.do(w, w.relays)
				time.Sleep(6 * second)
				st := l.Stats()
				w.Logf("%+v", st)
				if len(st.Hops) != 1 || st.Hops[0].From != "relay-a" || st.Hops[0].To != tt.to || st.Hops[0].Cause != tt.cause || st.Hops[0].Lost != 0 {
					w.Errorf("hops %+v", st.Hops)
				}
				if st.Relay != tt.to || !strings.HasPrefix(st.Standby, tt.standby) {
					w.Errorf("at %q with standby %q", st.Relay, st.Standby)
				}
				if got := st.Tracks[0]; got.Lost != 0 || p.gaps() != 0 || got.Expected < 500 {
					w.Errorf("%d gaps, stats %+v", p.gaps(), got)
				}
			})
		})
	}
}

// TestFalseAlarm cuts a relay off for a moment. Nothing is missed, and whoever
// is back before its death is proven keeps its listener.
func TestFalseAlarm(t *testing.T) {
	for _, tt := range []struct {
		held  time.Duration
		stays bool
	}{
		{60 * ms, true},
		{100 * ms, true}, // two packets at most fell into it
		{150 * ms, false},
		{250 * ms, false},
	} {
		t.Run(tt.held.String(), func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				l, p := w.listen(ListenOptions{})
				time.Sleep(6 * second)
				w.net.cut(w.relays[0])
				time.Sleep(tt.held)
				w.net.mend(w.relays[0])
				time.Sleep(6 * second)
				st := l.Stats()
				w.Logf("%+v", st)
				if len(st.Hops) > 1 || tt.stays && (len(st.Hops) != 0 || st.Relay != "relay-a" || st.Standby != "relay-b") {
					w.Errorf("hops %+v, at %q with standby %q", st.Hops, st.Relay, st.Standby)
				}
				if got := st.Tracks[0]; got.Lost != 0 || p.gaps() != 0 {
					w.Errorf("%d gaps, stats %+v", p.gaps(), got)
				}
				if n := w.relays[1].count("subscribe audio/60ms"); n > 1 {
					w.Errorf("the standby was subscribed to %d times", n)
				}
			})
		})
	}
}

// TestBothDie cuts off primary and standby at once: the third relay is dialled,
// and the room goes on there.
func TestBothDie(t *testing.T) {
	inWorld(t, 3, func(w *world) {
		l, _ := w.listen(ListenOptions{})
		time.Sleep(6 * second)
		w.net.cut(w.relays[0], w.relays[1])
		time.Sleep(8 * second)
		st := l.Stats()
		w.Logf("%+v", st)
		if st.Relay != "relay-c" || len(st.Hops) != 1 || st.Hops[0].To != "relay-c" || st.Hops[0].Cause != "silence" {
			w.Errorf("at %q, hops %+v", st.Relay, st.Hops)
		}
		before := st.Tracks[0].Last
		w.net.mend(w.relays[0])
		time.Sleep(30 * second)
		if st := l.Stats(); st.Standby != "relay-a" || st.Tracks[0].Last < before+1400 {
			w.Errorf("with standby %q at frame %d, which was %d", st.Standby, st.Tracks[0].Last, before)
		}
	})
}

// TestNobodyThere cuts everybody off for a while: the listener waits, and comes
// back to the room.
func TestNobodyThere(t *testing.T) {
	inWorld(t, 3, func(w *world) {
		l, _ := w.listen(ListenOptions{})
		time.Sleep(6 * second)
		w.net.cut(w.relays...)
		time.Sleep(60 * second)
		w.net.mend(w.relays...)
		time.Sleep(30 * second)
		before := l.Stats()
		time.Sleep(2 * second)
		st := l.Stats()
		w.Logf("%+v", st)
		if st.Relay == "" || st.Standby == "" || st.Tracks[0].Played < before.Tracks[0].Played+90 {
			w.Errorf("%+v", st)
		}
	})
}

// TestNoStandby listens with one session, which is followed by another.
func TestNoStandby(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		l, _ := w.listen(ListenOptions{NoStandby: true})
		time.Sleep(6 * second)
		if st := l.Stats(); st.Standby != "" || len(w.relays[1].sessions) != 0 {
			w.Errorf("there is a standby: %+v", st)
		}
		w.net.cut(w.relays[0])
		time.Sleep(6 * second)
		if st := l.Stats(); st.Relay != "relay-b" || len(st.Hops) != 1 {
			w.Errorf("%+v", st)
		}
	})
}

// TestRelaysWithoutTicks are those of other makers: they have no tick and no
// list, and all that tells their death is what the standby brings.
func TestRelaysWithoutTicks(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		for _, s := range w.relays {
			s.streams, s.own.relays, s.own.still = true, nil, true
		}
		o := w.options()
		o.CertificateHashes = append(o.CertificateHashes, w.relays[1].hash)
		l, p := w.listenAt(ListenOptions{Dial: o}, w.relays...)
		time.Sleep(6 * second)
		w.pause.Store(true)
		time.Sleep(10 * second)
		w.pause.Store(false)
		time.Sleep(2 * second)
		if st := l.Stats(); len(st.Hops) != 0 || st.Standby == "" {
			w.Errorf("%+v", st)
		}
		w.net.cut(w.relays[0])
		time.Sleep(5 * second)
		st := l.Stats()
		w.Logf("%+v", st)
		if len(st.Hops) != 1 || st.Relay != w.relays[1].addr.String() {
			w.Errorf("at %q, hops %+v", st.Relay, st.Hops)
		}
		if got := st.Tracks[0]; got.Lost != 0 || p.gaps() != 0 {
			w.Errorf("%d gaps, stats %+v", p.gaps(), got)
		}
	})
}

// TestNetworkChange gives the client another address.
func TestNetworkChange(t *testing.T) {
	inWorld(t, 2, func(w *world) {
		var here atomic.Value
		here.Store(netip.MustParseAddr("192.168.1.20"))
		w.route = func(netip.Addr) (netip.Addr, bool) {
			from := here.Load().(netip.Addr)
			return from, from.IsValid()
		}
		l, p := w.listen(ListenOptions{})
		time.Sleep(6 * second)
		here.Store(netip.Addr{}) // no network is no other one
		time.Sleep(2 * second)
		if st := l.Stats(); len(st.Hops) != 0 {
			w.Errorf("hops %+v", st.Hops)
		}
		here.Store(netip.MustParseAddr("10.64.3.7"))
		time.Sleep(6 * second)
		st := l.Stats()
		w.Logf("%+v", st)
		if len(st.Hops) != 1 || st.Hops[0].Cause != "network" || st.Standby == "" {
			w.Errorf("hops %+v, standby %q", st.Hops, st.Standby)
		}
		if got := st.Tracks[0]; got.Lost != 0 || p.gaps() != 0 {
			w.Errorf("%d gaps, stats %+v", p.gaps(), got)
		}
	})
}

// TestLoss plays for minutes over lines that lose packets at random.
func TestLoss(t *testing.T) {
	trackOf := map[time.Duration]string{20 * ms: protocol.TrackAudio, 60 * ms: protocol.Track60, 120 * ms: protocol.Track120}
	for _, tt := range []struct {
		loss   float64
		packet time.Duration
		cold   bool
	}{
		{0.01, 60 * ms, false}, {0.05, 60 * ms, false}, {0.01, 60 * ms, true}, {0.05, 60 * ms, true},
		{0.01, 20 * ms, false}, {0.05, 20 * ms, false}, {0.01, 120 * ms, false}, {0.05, 120 * ms, false},
	} {
		t.Run(fmt.Sprintf("%v of %v packets, cold %v", tt.loss, tt.packet, tt.cold), func(t *testing.T) {
			inWorld(t, 2, func(w *world) {
				l, p := w.listen(ListenOptions{NoStandby: tt.cold, Packet: tt.packet})
				time.Sleep(6 * second)
				w.net.mu.Lock()
				w.net.loss = tt.loss
				w.net.mu.Unlock()
				time.Sleep(3 * time.Minute)
				st := l.Stats()
				got := st.Tracks[0]
				w.Logf("%d of %d frames lost, %d gaps; %+v, hops %+v", got.Lost, got.Expected, p.gaps(), got, st.Hops)
				if all := float64(got.Expected) * tt.loss; float64(got.Lost) > all/20 {
					w.Errorf("%d frames lost to the ear, of about %.0f that the network lost", got.Lost, all)
				}
				// A request is lost as easily as a packet: two sessions are asked.
				track := trackOf[tt.packet]
				here, there := w.relays[0].count("fetch "+track), w.relays[1].count("fetch "+track)
				if tt.loss >= 0.05 && (!tt.cold && 2*there < here || tt.cold && there > 0) {
					w.Errorf("%d fetches at the primary, %d at the standby", here, there)
				}
			})
		})
	}
}

// A scribe is a relay's other side: it subscribes to a speaker whenever he
// comes, from the first frame on that it does not have.
func (w *world) scribe(s *station, all *inbox) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case session := <-s.sessions:
				_, err := session.Subscribe(ctx, protocol.Subscribe{
					Broadcast: "town/bob", Track: protocol.TrackAudio,
					Delivery: protocol.Delivery{Start: protocol.Seq(all.next())},
				}, all)
				if err != nil {
					w.Logf("%s: %v", s.name, err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	w.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// next is the first frame that is missing.
func (b *inbox) next() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var n uint64
	for {
		if _, ok := b.frames[n]; !ok {
			return n
		}
		n++
	}
}

// TestSpeakerKeepsTwo takes a speaker's relays away: all that he says reaches
// the network, and soon by two relays again.
func TestSpeakerKeepsTwo(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *world, s *Speaker)
		up   string // the relays in the end; empty: any two
		hops int    // -1: any
	}{
		{"nothing happens", func(*world, *Speaker) {}, "relay-a relay-b", 0},
		{"the first is killed", func(w *world, _ *Speaker) { w.net.cut(w.relays[0]) }, "relay-b relay-c", 1},
		{"the second is killed", func(w *world, _ *Speaker) { w.net.cut(w.relays[1]) }, "relay-a relay-c", 1},
		{"one after the other is killed", func(w *world, _ *Speaker) {
			w.net.cut(w.relays[0])
			time.Sleep(5 * second)
			w.net.cut(w.relays[1])
		}, "relay-c relay-d", 2},
		{"both at once, and come back", func(w *world, _ *Speaker) {
			w.net.cut(w.relays...)
			time.Sleep(3 * second)
			w.net.mend(w.relays...)
		}, "", -1},
		{"the network changes", func(w *world, s *Speaker) {
			s.roam.event(hop.Event{Kind: hop.NetworkChanged})
		}, "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, 4, func(w *world) {
				all := newInbox()
				for _, s := range w.relays {
					w.scribe(s, all)
				}
				s, err := NewSpeaker(SpeakOptions{Room: "town", Name: "bob", Relays: []string{w.relays[0].url()}, Dial: w.options(), Logger: testLog(w)})
				if err != nil {
					w.Fatal(err)
				}
				s.roam.route = nil
				ctx, cancel := context.WithCancel(context.Background())
				var running sync.WaitGroup
				running.Go(func() { _ = s.Run(ctx) })
				running.Go(func() { _ = s.Play(ctx, &packets{n: 1 << 20}) })
				w.Cleanup(func() {
					cancel()
					running.Wait()
				})
				time.Sleep(5 * second)
				tt.do(w, s)
				time.Sleep(20 * second)
				st := s.Stats()
				w.Logf("%+v", st)
				var up []string
				for _, r := range st.Relays {
					if r.Up {
						up = append(up, r.Name)
					}
				}
				if len(up) != 2 || tt.up != "" && strings.Join(up, " ") != tt.up {
					w.Errorf("%v are up", up)
				}
				if tt.hops >= 0 && len(st.Hops) != tt.hops {
					w.Errorf("hops %+v", st.Hops)
				}
				// What was said while there was nobody, relays have to ask for.
				if came := all.next(); came+5 < st.Sent && tt.hops >= 0 {
					w.Errorf("%d frames came without a hole, of %d", came, st.Sent)
				}
				if n := uint64(all.len()); n+160 < st.Sent {
					w.Errorf("%d frames came, of %d", n, st.Sent)
				}
			})
		})
	}
}

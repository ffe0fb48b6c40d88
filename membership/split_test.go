package membership

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/membership/memnet"
)

// many starts relays r00, r01 … and waits until all know all.
func (f *fleet) many(t *testing.T, n int) (names []string) {
	t.Helper()
	for i := range n {
		names = append(names, fmt.Sprintf("r%02d", i))
		f.start(names[i])
	}
	f.allSee(t, names...)
	return names
}

func (f *fleet) allSee(t *testing.T, names ...string) {
	t.Helper()
	for _, m := range f.all {
		m.sees(t, names...)
	}
}

// TestASplitNetworkHeals and loses no relay, however long it took.
func TestASplitNetworkHeals(t *testing.T) {
	tests := []struct {
		name   string
		groups []int // how many relays are in each; the seed is in the last
		apart  time.Duration
		loss   float64
	}{
		{"before anybody is given up", []int{3, 6}, 3 * time.Second, 0},
		{"while they are being given up", []int{3, 6}, 12 * time.Second, 0},
		{"a minute", []int{3, 6}, time.Minute, 0},
		{"ten minutes", []int{5, 4}, 10 * time.Minute, 0},
		{"ten minutes, a fifth of the packets gets lost", []int{5, 4}, 10 * time.Minute, 0.2},
		{"three parts", []int{3, 3, 3}, 5 * time.Minute, 0},
		{"one alone", []int{1, 8}, 5 * time.Minute, 0},
		{"each alone", []int{1, 1, 1, 1}, 5 * time.Minute, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				f.net.Loss = tt.loss
				n := 0
				for _, size := range tt.groups {
					n += size
				}
				names := f.many(t, n)
				var groups [][]*memnet.Endpoint
				rest := f.all
				for _, size := range tt.groups {
					var group []*memnet.Endpoint
					for _, m := range rest[len(rest)-size:] {
						group = append(group, m.endpoint)
					}
					rest = rest[:len(rest)-size]
					groups = append(groups, group)
				}
				f.net.Split(groups...)
				time.Sleep(tt.apart)
				if tt.apart >= 5*time.Minute {
					if got := len(f.all[0].Snapshot()); got != tt.groups[len(tt.groups)-1] {
						t.Errorf("the seed knows %d relays, want only its own part", got)
					}
				}
				f.net.Heal()
				start := time.Now()
				f.allSee(t, names...)
				t.Logf("healed in %v", time.Since(start))
				time.Sleep(time.Minute) // suspicions from the split still come true, and are mended
				f.allSee(t, names...)
				var seen []*record
				for _, m := range f.all {
					seen = append(seen, m.record())
				}
				time.Sleep(3 * time.Minute)
				for _, s := range seen {
					if lost := s.stop(); len(lost) > 0 && tt.loss == 0 {
						t.Errorf("%d changes after it had healed", len(lost))
					}
				}
				f.allSee(t, names...)
			})
		})
	}
}

// TestASplitWithoutSeeds heals, too: whoever vanished is asked again.
func TestASplitWithoutSeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		dns := &hostNames{at: make(map[string][]netip.Addr)}
		seed := func(c *Config) { c.Lookup, c.Join = dns.lookup, []string{"seed:7946"} }
		first := f.start("r00")
		dns.set("seed", first.Addr())
		names := []string{"r00"}
		for i := range 5 {
			names = append(names, fmt.Sprintf("r%02d", i+1))
			f.start(names[i+1], seed)
		}
		f.allSee(t, names...)
		dns.set("seed") // stands for nobody any more
		f.net.Split([]*memnet.Endpoint{f.all[0].endpoint, f.all[1].endpoint})
		time.Sleep(time.Hour)
		f.all[0].sees(t, names[:2]...)
		f.net.Heal()
		f.allSee(t, names...)
	})
}

// TestABusyRelayIsNotVotedOut: one takes long for everything it does.
func TestABusyRelayIsNotVotedOut(t *testing.T) {
	tests := []struct {
		name string
		slow func() time.Duration // each packet in and out, each read of a stream
	}{
		{"half a second", func() time.Duration { return 500 * time.Millisecond }},
		{"up to two seconds", func() time.Duration { return rand.N(2 * time.Second) }},
		{"three seconds", func() time.Duration { return 3 * time.Second }},
		{"mostly fast", func() time.Duration { return time.Duration(rand.IntN(10)/9) * 3 * time.Second }},
	}
	for _, relays := range []int{3, 7} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%d relays, %s", relays, tt.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFleet(t)
					names := f.many(t, relays)
					busy := f.all[relays/2]
					var seen []*record
					for _, m := range f.all {
						seen = append(seen, m.record())
					}
					busy.endpoint.SetSlow(tt.slow)
					time.Sleep(5 * time.Minute)
					for i, s := range seen {
						for _, r := range s.stop() {
							t.Errorf("%s saw %s leave or come back", names[i], r.Name)
						}
					}
					busy.endpoint.SetSlow(nil)
					f.allSee(t, names...)
				})
			})
		}
	}
}

// TestClocksApart: relays whose clocks are minutes apart are one network.
func TestClocksApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		start := time.Now()
		a := f.start("a", clock(5*time.Minute))
		b := f.start("b", clock(-5*time.Minute))
		c := f.start("c", clock(0))
		f.allSee(t, "a", "b", "c")
		r, _ := Find(c.Snapshot(), "b")
		if want := start.Add(-5 * time.Minute); !r.Started.Equal(want) {
			t.Errorf("b started at %v, want what its own clock said, %v", r.Started, want)
		}
		b.SetLoad(90)
		for _, m := range []*member{a, c} {
			if err := m.eventually("b is busy", func(relays []Relay) bool {
				r, _ := Find(relays, "b")
				return r.Load == 90
			}); err != nil {
				t.Error(err)
			}
		}
		seen := a.record()
		time.Sleep(10 * time.Minute)
		if changes := seen.stop(); len(changes) > 0 {
			t.Errorf("%d changes in a quiet network", len(changes))
		}
	})
}

// TestAGoodbyeIsHeardAtOnce, and a crash after the time tuned promises.
func TestAGoodbyeIsHeardAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.net.Latency = func() time.Duration { return 50 * time.Millisecond }
		names := f.many(t, 30)
		start := time.Now()
		leaves := f.all[29]
		f.all = f.all[:29]
		leaves.stop(errStopped)
		f.allSee(t, names[:29]...)
		if took := time.Since(start); took > time.Second {
			t.Errorf("the goodbye took %v", took)
		}
		<-leaves.done

		start = time.Now()
		f.all[28].crash()
		f.all = f.all[:28]
		f.allSee(t, names[:28]...)
		if took := time.Since(start); took > time.Minute {
			t.Errorf("the death took %v", took)
		}
	})
}

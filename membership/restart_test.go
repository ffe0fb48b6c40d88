package membership

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stentor-audio/stentor/membership/memnet"
)

// process lets a test tell the processes of one name apart.
func process(n uint64) func(*Config) { return func(c *Config) { c.Self.HopID = n } }

// clock sets a relay's clock off by that much.
func clock(off time.Duration) func(*Config) {
	return func(c *Config) { c.Now = func() time.Time { return time.Now().Add(off) } }
}

// at gives a relay the address of another.
func (f *fleet) at(m *member) func(*Config) {
	return func(c *Config) { c.Transport = f.net.ListenAt(m.endpoint.Addr()) }
}

// isProcess waits until everybody knows that process of a name.
func (f *fleet) isProcess(t *testing.T, name string, n uint64, all ...*member) {
	t.Helper()
	for _, m := range all {
		err := m.eventually(fmt.Sprintf("%s is process %d", name, n), func(relays []Relay) bool {
			r, ok := Find(relays, name)
			return ok && r.HopID == n
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestARestartedRelayIsBackAtOnce although the others believe its predecessor
// alive for another ten seconds.
func TestARestartedRelayIsBackAtOnce(t *testing.T) {
	sameAddress := func(f *fleet, b *member) func(*Config) { return f.at(b) }
	otherAddress := func(*fleet, *member) func(*Config) { return func(*Config) {} }
	tests := []struct {
		name   string
		end    func(*member)
		where  func(*fleet, *member) func(*Config)
		clock  time.Duration // of the successor
		within time.Duration
	}{
		{"left, same address", (*member).leave, sameAddress, 0, time.Second},
		{"left, other address", (*member).leave, otherAddress, 0, time.Second},
		{"crashed, same address", (*member).crash, sameAddress, 0, time.Second},
		{"crashed, other address", (*member).crash, otherAddress, 0, 4 * time.Second},
		{"crashed, same address, its clock is behind", (*member).crash, sameAddress, -5 * time.Minute, time.Second},
		{"crashed, other address, its clock is behind", (*member).crash, otherAddress, -5 * time.Minute, 4 * time.Second},
		{"crashed, other address, its clock is ahead", (*member).crash, otherAddress, 5 * time.Minute, 4 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				a, c := f.start("a"), f.start("c")
				b := f.start("b", process(1))
				a.sees(t, "a", "b", "c")
				tt.end(b)
				time.Sleep(2 * time.Second)

				start := time.Now()
				b = f.start("b", process(2), tt.where(f, b), clock(tt.clock))
				f.isProcess(t, "b", 2, a, b, c)
				if took := time.Since(start); took > tt.within {
					t.Errorf("took %v, want at most %v", took, tt.within)
				}

				time.Sleep(2 * time.Minute) // the predecessor is declared dead
				for _, m := range []*member{a, b, c} {
					m.sees(t, "a", "b", "c")
					f.isProcess(t, "b", 2, m)
				}
			})
		})
	}
}

// TestARelayThatKeepsCrashing, each time at another address.
func TestARelayThatKeepsCrashing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a := f.start("a")
		b := f.start("b", process(0))
		a.sees(t, "a", "b")
		for n := range uint64(20) {
			b.crash()
			time.Sleep(time.Second)
			b = f.start("b", process(n+1))
			f.isProcess(t, "b", n+1, a, b)
		}
		time.Sleep(10 * time.Minute)
		f.isProcess(t, "b", 20, a, b)
		if n := a.book.size(); n != 2 {
			t.Errorf("a still keeps %d members, want 2", n)
		}
	})
}

// TestTheWholeNetworkRestarts within seconds, at the same addresses.
func TestTheWholeNetworkRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		names := []string{"a", "b", "c", "d", "e"}
		for _, name := range names {
			f.start(name, process(1))
		}
		for _, m := range f.all {
			m.sees(t, names...)
		}
		old := f.all
		for _, m := range old {
			m.crash()
		}
		f.all = nil
		seed := old[0].endpoint.Addr().String()
		for i, name := range names {
			f.start(name, process(2), f.at(old[i]), func(c *Config) { c.Join = []string{seed} })
		}
		for _, m := range f.all {
			m.sees(t, names...)
			for _, name := range names {
				f.isProcess(t, name, 2, m)
			}
		}
	})
}

// TestANameIsTaken: a newcomer with a name in use goes, and nobody notices.
func TestANameIsTaken(t *testing.T) {
	for _, off := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
		t.Run(fmt.Sprintf("its clock is off by %v", off), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				a, c := f.start("a"), f.start("c")
				b := f.start("b", process(1), clock(0))
				for _, m := range f.all {
					m.sees(t, "a", "b", "c")
				}
				time.Sleep(time.Minute)
				all := []*member{a, b, c}
				var seen []*record
				for _, m := range all {
					seen = append(seen, m.record())
				}
				twin := f.start("b", process(2), clock(off))
				<-twin.done
				if !errors.Is(twin.err, ErrNameTaken) {
					t.Errorf("Run = %v, want ErrNameTaken", twin.err)
				}
				time.Sleep(2 * time.Minute)
				for i, m := range all {
					m.sees(t, "a", "b", "c")
					for _, r := range seen[i].stop() {
						if r.Name == "b" && r.HopID != 1 {
							t.Errorf("%s took the newcomer for b", m.cfg.Self.Name)
						}
					}
				}
				select {
				case <-b.done:
					t.Errorf("the one that was there first has gone: %v", b.err)
				default:
				}
			})
		})
	}
}

// TestTwinsAlone: of two relays that know nobody else, the elder stays.
func TestTwinsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		elder := f.start("a", process(1), clock(0))
		time.Sleep(time.Minute)
		younger := f.start("a", process(2), clock(0))
		<-younger.done
		if !errors.Is(younger.err, ErrNameTaken) {
			t.Errorf("Run = %v, want ErrNameTaken", younger.err)
		}
		time.Sleep(time.Minute)
		select {
		case <-elder.done:
			t.Fatalf("the elder has gone, too: %v", elder.err)
		default:
		}
		elder.sees(t, "a")
	})
}

// TestTwinsOfASplit: two networks meet, and each has a relay of the same name.
func TestTwinsOfASplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a := f.start("a")
		b1 := f.start("b", process(1), clock(0))
		a.sees(t, "a", "b")
		time.Sleep(10 * time.Second)
		endC, endB := f.net.Listen(), f.net.Listen()
		f.net.Split([]*memnet.Endpoint{endC, endB})
		c := f.start("c", func(cfg *Config) { cfg.Transport = endC })
		b2 := f.start("b", process(2), clock(0), func(cfg *Config) {
			cfg.Transport = endB
			cfg.Join = []string{endC.Addr().String()}
		})
		c.sees(t, "b", "c")
		f.net.Heal()
		<-b2.done
		if !errors.Is(b2.err, ErrNameTaken) {
			t.Errorf("the younger b ended with %v, want ErrNameTaken", b2.err)
		}
		for _, m := range []*member{a, b1, c} {
			m.sees(t, "a", "b", "c")
			f.isProcess(t, "b", 1, m)
		}
	})
}

func TestRivalsAreBounded(t *testing.T) {
	rs := newRivals()
	for range 10 * maxRivals {
		rs.note(rival{claim: claim{member: memberName("a")}})
	}
	if n := len(rs.take()); n != maxRivals {
		t.Errorf("%d kept, want %d", n, maxRivals)
	}
	if n := len(rs.take()); n != 0 {
		t.Errorf("%d kept after they were taken", n)
	}
}

// TestOutranks is an order: exactly one of two goes.
func TestOutranks(t *testing.T) {
	older, newer := time.Unix(100, 0), time.Unix(200, 0)
	better := []claim{ // each outranks those after it
		{member: "a/2", relay: Relay{Generation: 2, Started: newer}},
		{member: "a/1", relay: Relay{Generation: 1, Started: older}},
		{member: "a/1", relay: Relay{Started: older}},
		{member: "a/9", relay: Relay{Started: newer, HopID: 1}},
		{member: "a/7", relay: Relay{Started: newer, HopID: 2}},
		{member: "a/8", relay: Relay{Started: newer, HopID: 2}},
	}
	for i, x := range better {
		for j, y := range better {
			if got := outranks(x, y); got != (i < j) {
				t.Errorf("%d outranks %d: %v", i, j, got)
			}
		}
	}
}

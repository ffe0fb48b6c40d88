package membership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestRelaysFindEachOtherAndPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b, c := f.start("a"), f.start("b"), f.start("c")
		for _, m := range f.all {
			m.sees(t, "a", "b", "c")
		}
		for _, m := range []*member{a, c} {
			r, _ := Find(m.Snapshot(), "b")
			if want := b.own.relayNow(); !r.Equal(want) {
				t.Errorf("b is %+v, want %+v", r, want)
			}
		}

		b.leave()
		if !errors.Is(b.err, errStopped) {
			t.Errorf("Run = %v, want why it was stopped", b.err)
		}
		a.sees(t, "a", "c")
		c.sees(t, "a", "c")

		c.crash()
		a.sees(t, "a")
	})
}

func TestAChangeReachesTheOthers(t *testing.T) {
	sum := [32]byte{7, 7, 7}
	tests := []struct {
		name   string
		change func(*Directory) error
		ok     func(Relay) bool
	}{
		{"state", func(d *Directory) error { d.SetState(Draining); return nil },
			func(r Relay) bool { return r.State == Draining }},
		{"load", func(d *Directory) error { d.SetLoad(71); return nil },
			func(r Relay) bool { return r.Load == 70 }},
		{"certificates", func(d *Directory) error { return d.SetCertificates([32]byte{1}, sum) },
			func(r Relay) bool { return slices.Contains(r.CertificateSHA256, sum) }},
		{"no certificates", func(d *Directory) error { return d.SetCertificates() },
			func(r Relay) bool { return len(r.CertificateSHA256) == 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				a, b := f.start("a"), f.start("b")
				a.sees(t, "a", "b")
				_, next := b.Watch()
				if err := tt.change(b.Directory); err != nil {
					t.Fatal(err)
				}
				if own, _ := Find(b.Snapshot(), "b"); !tt.ok(own) {
					t.Errorf("b's own snapshot is still %+v", own)
				}
				select {
				case <-next:
				default:
					t.Error("b's watchers were not told")
				}
				err := a.eventually("changed", func(relays []Relay) bool {
					r, _ := Find(relays, "b")
					return tt.ok(r)
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func TestSetCertificatesRefusesFour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFleet(t).start("a")
		if err := a.SetCertificates([32]byte{1}, [32]byte{2}, [32]byte{3}, [32]byte{4}); !errors.Is(err, ErrRelay) {
			t.Errorf("SetCertificates = %v, want ErrRelay", err)
		}
		if own, _ := Find(a.Snapshot(), "a"); len(own.CertificateSHA256) != 2 {
			t.Errorf("%d certificates, want the two from before", len(own.CertificateSHA256))
		}
	})
}

// TestLoadIsNoGossipStorm measures a load a thousand times a second and looks
// at what others hear of it.
func TestLoadIsNoGossipStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.start("a"), f.start("b")
		a.sees(t, "a", "b")

		var heard []time.Time // when a heard something new of b
		var last Relay
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			before, next := a.Watch()
			for {
				select {
				case <-next:
				case <-ctx.Done():
					return
				}
				var after []Relay
				after, next = a.Watch()
				for _, r := range Diff(before, after).Changed {
					heard, last = append(heard, time.Now()), r
				}
				before = after
			}
		}()
		const seconds = 60
		for i := range seconds * 1000 {
			b.SetLoad(float64(i+1) / (seconds * 1000) * 100)
			time.Sleep(time.Millisecond)
		}
		time.Sleep(updateInterval + time.Second)
		stop()
		<-done

		if last.Load != 100 {
			t.Errorf("last heard of a load of %d, want 100", last.Load)
		}
		// From 0 to 100 there are 21 steps, and time for 31 announcements.
		if len(heard) < 15 || len(heard) > 21 {
			t.Errorf("heard %d times of it", len(heard))
		}
		for i := 1; i < len(heard); i++ {
			// The first may have been slow to come and the next one quick.
			if gap := heard[i].Sub(heard[i-1]); gap < updateInterval-time.Second {
				t.Errorf("%v after another", gap)
			}
		}
	})
}

// TestALoadThatComesBackIsNotAnnounced: only what it is when its turn comes.
func TestALoadThatComesBackIsNotAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.start("a"), f.start("b")
		a.sees(t, "a", "b")
		was := *b.accepted.Load()
		b.SetLoad(90)
		b.SetLoad(float64(relayA().Load))
		time.Sleep(time.Minute)
		if now := *b.accepted.Load(); !slices.Equal(now, was) {
			t.Errorf("announced %x, want still %x", now, was)
		}
	})
}

// TestAStateIsToldAtOnce although a load was told just before.
func TestAStateIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.start("a"), f.start("b")
		a.sees(t, "a", "b")
		time.Sleep(time.Minute)
		b.SetLoad(90)
		time.Sleep(urgentInterval)
		start := time.Now()
		b.SetState(Draining)
		err := a.eventually("b drains", func(relays []Relay) bool {
			r, _ := Find(relays, "b")
			return r.State == Draining && r.Load == 90
		})
		if err != nil {
			t.Fatal(err)
		}
		// A round of gossip, and a snapshot.
		if took := time.Since(start); took > 250*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

// TestWatchersMissNothingButOldSnapshots: a watcher that sleeps holds up nobody.
func TestWatchersMissNothingButOldSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a := f.start("a")
		before, next := a.Watch()
		var names []string
		for i := range 20 {
			names = append(names, fmt.Sprintf("b%02d", i))
			f.start(names[i])
		}
		a.sees(t, append([]string{"a"}, names...)...)
		time.Sleep(time.Minute)
		<-next
		if got := Diff(before, a.Snapshot()); len(got.Joined) != 20 || len(got.Left)+len(got.Changed) != 0 {
			t.Errorf("%d joined, %d left, %d changed; want 20, 0, 0", len(got.Joined), len(got.Left), len(got.Changed))
		}
	})
}

// TestSnapshotsAreBounded: much news make few snapshots.
func TestSnapshotsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a := f.start("a")
		seen := 0
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				_, next := a.Watch()
				select {
				case <-next:
					seen++
				case <-ctx.Done():
					return
				}
			}
		}()
		for i := range 1000 {
			r := relayA()
			r.Name = fmt.Sprintf("b%d", i)
			a.book.put(claim{member: memberName(r.Name), relay: r})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		stop()
		<-done
		if seen < 20 || seen > 21 {
			t.Errorf("%d snapshots of a second of news, want one every 50 ms", seen)
		}
		if got := len(a.Snapshot()); got != 1001 {
			t.Errorf("%d relays in the last one, want 1001", got)
		}
	})
}

// TestCloseWithoutRun gives the transport back.
func TestCloseWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		e := f.net.Listen()
		d, err := New(Config{Self: relayA(), Transport: e, Keys: f.keys})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := d.transport.DialTimeout("10.0.0.9:1", time.Second); err == nil {
			t.Error("still dials")
		}
		if _, err := d.transport.WriteTo([]byte{1}, "10.0.0.9:1"); !errors.Is(err, errClosed) {
			t.Errorf("WriteTo = %v, want errClosed", err)
		}
	})
}

// TestRunEndsWhileItJoins: a seed that never answers keeps nobody.
func TestRunEndsWhileItJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		hole := f.net.Listen()
		hole.SetDown(true)
		a := f.start("a", func(c *Config) { c.Join = []string{hole.Addr().String()} })
		time.Sleep(time.Second)
		start := time.Now()
		a.leave()
		if took := time.Since(start); took > 10*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestLeavingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		a, b := f.start("a"), f.start("b")
		a.sees(t, "a", "b")
		a.endpoint.SetDown(true) // b does not know yet
		start := time.Now()
		b.leave()
		if took := time.Since(start); took > leaveTimeout+time.Second {
			t.Errorf("took %v", took)
		}
	})
}

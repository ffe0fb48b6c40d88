package event

import (
	"math"
	"testing"
	"time"
)

func TestArrive(t *testing.T) {
	o := small(t)
	s := func(v float64) Time { return Time(v * float64(time.Second)) }
	// A relay of one processor opens with 100 handshakes a second (admission.Pace).
	t.Run("slower than the doors", func(t *testing.T) {
		o := o
		o.Listeners, o.Arrive = 100, 10*time.Second
		a := o.withDefaults().arrive(1)
		if a.Waiting != 0 || a.Longest != 0 || a.Mean != 0 || a.AllIn != s(10) || a.Rate != 10 || math.Abs(a.PerRelay-10) > 1e-9 {
			t.Errorf("%+v", a)
		}
	})
	t.Run("in one step", func(t *testing.T) {
		o := o
		o.Listeners, o.Arrive = 50, 0
		if a := o.withDefaults().arrive(1); a.Waiting != 0 || a.AllIn != s(0.5) || a.Rate != 0 {
			t.Errorf("%+v", a)
		}
	})
	t.Run("more than open doors let in", func(t *testing.T) {
		o := o
		o.Listeners, o.Arrive = 80, 0
		// 50 in the first half second. The others are told to wait: two seconds at
		// least for their turn, from half to one and a half of that. The doors then
		// let 55 in in half a second.
		a := o.withDefaults().arrive(1)
		if a.Waiting != 30 || a.AllIn < s(1.5) || a.AllIn > s(4) || a.Longest != a.AllIn-s(0.5) {
			t.Errorf("%+v", a)
		}
		if mean := float64(a.Mean) / float64(time.Second); mean < 30.0/80*0.5 || mean > 30.0/80*3.5 {
			t.Errorf("%v on average", a.Mean)
		}
	})
	t.Run("twice as many relays", func(t *testing.T) {
		o := o
		o.Listeners, o.Arrive = 160, 0
		a := o.withDefaults().arrive(2)
		if a.Waiting != 60 || math.Abs(a.Fastest-2*a.PerRelay) > 1e-9 {
			t.Errorf("%+v", a)
		}
	})
	t.Run("more than there is processor for", func(t *testing.T) {
		o := o
		o.Listeners, o.Arrive = 5000, time.Minute
		// 1,968 listeners are all that one processor can do.
		a := o.withDefaults().arrive(1)
		if a.AllIn != Never || a.Longest != Never || a.Mean != Never {
			t.Errorf("%+v", a)
		}
		if a.LeftOut < 5000-1968 || a.LeftOut > 5000-1300 {
			t.Errorf("%d are left out", a.LeftOut)
		}
	})
}

// Beside those who are there, newcomers get what processors have left.
func TestLetInBesideOthers(t *testing.T) {
	o := small(t).withDefaults()
	idle := o.letIn(1, 0, 800, 0, 0)
	busy := o.letIn(1, 1300, 800, 0, 0) // 65 % and some, of 70
	if idle.AllIn == Never || busy.AllIn == Never || busy.AllIn <= idle.AllIn || busy.Fastest >= idle.Fastest {
		t.Errorf("idle %+v, busy %+v", idle, busy)
	}
}

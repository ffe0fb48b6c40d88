package uplink

import (
	"slices"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/membership"
	"github.com/stentor-audio/stentor/relay/plan"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// listed is a directory: names in order, those with a "-" in front drain, those
// with a "+" start.
func listed(names ...string) (known []membership.Relay) {
	for _, name := range names {
		r := membership.Relay{Name: name, Zone: "z", State: membership.Ready}
		switch name[0] {
		case '-':
			r.Name, r.State = name[1:], membership.Draining
		case '+':
			r.Name, r.State = name[1:], membership.Starting
		}
		known = append(known, r)
	}
	return known
}

// planOf is a plan that its first relay keeps, which is red; the second is blue.
func planOf(t *testing.T, names ...string) *plan.Plan {
	t.Helper()
	p, err := plan.New("town", plan.Relay{Name: names[0], Zone: "z"}, plan.Relay{Name: names[1], Zone: "z"}, plan.Options{})
	for _, name := range names[2:] {
		if err == nil {
			p, _, err = p.Join(plan.Relay{Name: name, Zone: "z"})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestKeeper(t *testing.T) {
	takes, asks := true, false
	abc := planOf(t, "a", "b", "c")
	tests := []struct {
		name  string
		s     situation
		after time.Duration // until there is a plan; 0 is at once, -1 never
		want  []string      // its relays; red first, blue second
	}{
		{"the first relay of the directory makes the first plan", situation{self: "a", roots: []string{"a", "b"}}, foundAfter, []string{"a", "b"}},
		{"even alone", situation{self: "a", roots: []string{"a"}}, foundAfter, []string{"a"}},
		{"the second does not", situation{self: "b", roots: []string{"a", "b"}}, -1, nil},
		{"nobody does without a directory", situation{self: "a"}, -1, nil},

		{"who asks and takes part is let in", situation{self: "a", plan: abc, known: listed("a", "b", "c", "d"), asking: map[string]bool{"b": asks, "c": takes, "d": takes}}, gather, []string{"a", "b", "c", "d"}},
		{"who only asks is not", situation{self: "a", plan: abc, known: listed("a", "b", "c", "d"), asking: map[string]bool{"b": asks, "c": takes, "d": asks}}, -1, nil},
		{"nor who is not ready", situation{self: "a", plan: abc, known: listed("a", "b", "c", "+d"), asking: map[string]bool{"b": asks, "c": takes, "d": takes}}, -1, nil},
		{"nor who is not in the directory", situation{self: "a", plan: abc, known: listed("a", "b", "c"), asking: map[string]bool{"b": asks, "c": takes, "d": takes}}, -1, nil},
		{"who does not ask is let go after a while", situation{self: "a", plan: abc, known: listed("a", "b", "c"), asking: map[string]bool{"b": asks}}, absentFor + gather, []string{"a", "b"}},
		{"and who takes part no more", situation{self: "a", plan: abc, known: listed("a", "b", "c"), asking: map[string]bool{"b": asks, "c": asks}}, absentFor + gather, []string{"a", "b"}},
		{"who drains is let go soon", situation{self: "a", plan: abc, known: listed("a", "b", "-c"), asking: map[string]bool{"b": asks, "c": takes}}, gather, []string{"a", "b"}},
		{"the blue root, too", situation{self: "a", plan: abc, known: listed("a", "-b", "c"), asking: map[string]bool{"b": takes, "c": takes}}, gather, []string{"a", "c"}},
		{"a red root that drains goes itself", situation{self: "a", plan: abc, known: listed("-a", "b", "c"), asking: map[string]bool{"b": asks, "c": takes}}, gather, []string{"c", "b"}},
		{"one that would be alone takes another", situation{self: "a", plan: planOf(t, "a", "b"), known: listed("a", "-b", "c")}, gather, []string{"a", "c"}},
		{"unless there is none", situation{self: "a", plan: planOf(t, "a", "b"), known: listed("a", "-b")}, gather, []string{"a"}},

		{"blue waits while it hears red", situation{self: "b", plan: abc, known: listed("a", "b", "c"), hearing: true}, -1, nil},
		{"and takes over when it does not", situation{self: "b", plan: abc, known: listed("a", "b", "c")}, deafFor, []string{"c", "b"}},
		{"sooner if the directory says so", situation{self: "b", plan: abc, known: listed("b", "c"), hearing: true}, gather, []string{"c", "b"}},
		{"nobody else does", situation{self: "c", plan: abc, roots: []string{"c", "b"}, known: listed("b", "c")}, -1, nil},
		{"unless both have gone", situation{self: "c", plan: abc, roots: []string{"c", "d"}, known: listed("c", "d")}, orphanedFor, []string{"c"}},
		{"and it is the first in the directory", situation{self: "c", plan: abc, roots: []string{"d", "c"}, known: listed("c", "d")}, -1, nil},
		{"which need not be in the plan", situation{self: "d", plan: abc, roots: []string{"d", "c"}, known: listed("c", "d")}, orphanedFor, []string{"d", "c"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.s.room = "town"
			var k keeper
			var p *plan.Plan
			now, end := epoch, epoch.Add(time.Minute)
			for now.Before(end) {
				var at time.Time
				var err error
				if p, at, err = k.next(now, tt.s); err != nil {
					t.Fatal(err)
				}
				if p != nil || at.IsZero() {
					break
				}
				if !at.After(now) {
					t.Fatalf("at %v it wants to be asked at %v", now.Sub(epoch), at.Sub(epoch))
				}
				now = at
			}
			if p == nil {
				if tt.after >= 0 {
					t.Fatal("there is no plan")
				}
				return
			}
			if got := now.Sub(epoch); got != tt.after {
				t.Errorf("a plan after %v, want %v", got, tt.after)
			}
			var names []string
			for _, r := range p.Relays() {
				names = append(names, r.Name)
			}
			if !slices.Equal(names, tt.want) {
				t.Errorf("the plan has %q, want %q", names, tt.want)
			}
			if tt.s.plan != nil && !p.Version().Newer(tt.s.plan.Version()) {
				t.Errorf("%v does not replace %v", p.Version(), tt.s.plan.Version())
			}
		})
	}
}

// A red root that did not write the plan takes it over as it is.
func TestRedRootKeepsTheRoom(t *testing.T) {
	p, _, err := planOf(t, "a", "b", "c").TakeOver("b", "a")
	if err != nil {
		t.Fatal(err)
	}
	var k keeper
	q, _, err := k.next(epoch, situation{self: p.Root(plan.Red), room: "town", plan: p})
	if err != nil || q == nil || q.Version().Keeper != p.Root(plan.Red) || q.Version().Epoch != p.Version().Epoch+1 {
		t.Fatalf("%v, %v", q, err)
	}
}

// Who is away for less than its time is not let go, however often.
func TestShortAbsenceIsNone(t *testing.T) {
	var k keeper
	s := situation{self: "a", room: "town", plan: planOf(t, "a", "b", "c"), known: listed("a", "b", "c")}
	for i := range 20 {
		s.asking = map[string]bool{"b": false, "c": true}
		if i%2 == 1 {
			delete(s.asking, "c")
		}
		if p, _, err := k.next(epoch.Add(time.Duration(i)*(absentFor-time.Millisecond)), s); p != nil || err != nil {
			t.Fatalf("step %d: %v, %v", i, p, err)
		}
	}
}

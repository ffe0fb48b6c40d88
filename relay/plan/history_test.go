package plan

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What the package comment promises holds after any history of relays that join
// and leave, of roots that die and of roots that are chosen.
func TestAnyHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		degree := rapid.SampledFrom([]int{6, 7, 8, 15, 16, 17, 64}).Draw(t, "degree")
		zones := rapid.SampledFrom([]int{1, 2, 3, 8, 40}).Draw(t, "zones")
		growth := rapid.IntRange(1, 25).Draw(t, "growth")
		h := &history{t: t, zones: zones}
		var err error
		if h.plan, err = New("r", h.newcomer(), Relay{}, Options{Degree: degree}); err != nil {
			t.Fatal(err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"join": func(t *rapid.T) {
				for range growth {
					h.join(h.newcomer())
				}
			},
			"leave": func(t *rapid.T) { h.leave(h.anyone("leaver")) },
			"many leave": func(t *rapid.T) {
				for range rapid.IntRange(1, 3*growth).Draw(t, "leavers") {
					h.leave(h.anyone("leaver"))
				}
			},
			"a root leaves": func(t *rapid.T) {
				h.leave(h.plan.Root(rapid.SampledFrom(Colours[:]).Draw(t, "colour")))
			},
			"the red root dies": func(*rapid.T) { h.takeOver() },
			"choose a root":     func(t *rapid.T) { h.choose(rapid.SampledFrom(Colours[:]).Draw(t, "colour")) },
			"":                  func(*rapid.T) { checkPlan(h.t, h.plan) },
		})
	})
}

type history struct {
	t     *rapid.T
	plan  *Plan
	zones int
	next  int
}

func (h *history) newcomer() Relay {
	h.next++
	return Relay{fmt.Sprintf("relay-%d", h.next), fmt.Sprint("zone-", rapid.IntRange(1, h.zones).Draw(h.t, "zone"))}
}

func (h *history) anyone(what string) string {
	relays := h.plan.Relays()
	return relays[rapid.IntRange(0, len(relays)-1).Draw(h.t, what)].Name
}

func (h *history) join(r Relay) {
	p, moved, err := h.plan.Join(r)
	if err != nil {
		h.t.Fatal(err)
	}
	if !p.Has(r.Name) || p.Len() != h.plan.Len()+1 {
		h.t.Fatalf("%s joined and is not there", r.Name)
	}
	outgrown := h.plan.Len() == p.Degree()
	if !outgrown && len(moved) > 2 {
		h.t.Fatalf("%d relays got other parents when one joined %d", len(moved), h.plan.Len())
	}
	h.step(p, moved, p.Degree()+1)
}

func (h *history) leave(name string) {
	p, moved, err := h.plan.Leave(name)
	if h.plan.Len() == 1 {
		checkErr(h.t, "the last leaves", err, ErrLast)
		return
	}
	if err != nil {
		h.t.Fatal(err)
	}
	if p.Has(name) || p.Len() != h.plan.Len()-1 {
		h.t.Fatalf("%s left and is still there", name)
	}
	for _, c := range Colours {
		if was := h.plan.Root(c); was != name && p.Root(c) != was && p.Len() > 1 {
			h.t.Fatalf("%s left and the %v root went from %s to %s", name, c, was, p.Root(c))
		}
	}
	h.step(p, moved, p.Degree()+1)
}

func (h *history) takeOver() {
	red, blue := h.plan.Roots()
	if red == blue {
		return
	}
	p, moved, err := h.plan.TakeOver(blue, red)
	if err != nil {
		h.t.Fatal(err)
	}
	if p.Len() > 1 && (p.Root(Blue) != blue || p.Has(red)) {
		h.t.Fatalf("%s took over from %s: roots %s, %s", blue, red, p.Root(Red), p.Root(Blue))
	}
	h.step(p, moved, p.Degree()+1)
	if p, moved, err = p.TakeOver(p.Root(Red)); err != nil || len(moved) > 0 {
		h.t.Fatalf("the new red root goes on: %v moved, %v", moved, err)
	}
	h.step(p, nil, 0)
}

func (h *history) choose(c Colour) {
	name := h.anyone("root")
	p, moved, err := h.plan.WithRoot(c, name)
	if h.plan.Root(c) != name && h.plan.Root(c.Other()) == name {
		checkErr(h.t, "one root twice", err, ErrOtherRoot)
		return
	}
	if err != nil {
		h.t.Fatal(err)
	}
	if p.Root(c) != name || h.plan.Len() > 1 && p.Root(c.Other()) != h.plan.Root(c.Other()) {
		h.t.Fatalf("%s as %v root: roots %s, %s", name, c, p.Root(Red), p.Root(Blue))
	}
	h.step(p, moved, 4*p.Degree())
}

// step compares what is said to have moved with what did.
func (h *history) step(p *Plan, moved []string, most int) {
	var want []string
	for _, r := range p.Relays() {
		was, now := [2]string{"not there"}, [2]string{}
		if h.plan.Has(r.Name) {
			was[Red], was[Blue], _ = h.plan.Parents(r.Name)
		}
		now[Red], now[Blue], _ = p.Parents(r.Name)
		if was != now {
			want = append(want, r.Name)
		}
	}
	if !slices.Equal(moved, want) {
		h.t.Fatalf("moved %v, want %v", moved, want)
	}
	if len(moved) > most {
		h.t.Fatalf("%d relays got other parents, want at most %d", len(moved), most)
	}
	if p != h.plan && !p.Version().Newer(h.plan.Version()) {
		h.t.Fatalf("%v follows %v", p.Version(), h.plan.Version())
	}
	h.plan = p
}

package stage

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stentor-audio/stentor/token"
)

var (
	people = []Actor{ada, bob, cyd, dan, eve, {Subject: "fay", Role: token.RoleHost}}
	verbs  = []Verb{Create, Start, End, Invite, Promote, MuteOn, MuteOff, Remove, Ban, Unban, Raise, Lower, Join}
	roles  = []token.Role{token.RoleHost, token.RoleCohost, token.RoleSpeaker, token.RoleListener}
)

// drawCommand makes a command of somebody about somebody.
func drawCommand(t *rapid.T) (Command, Actor) {
	c := Command{Do: rapid.SampledFrom(verbs).Draw(t, "do")}
	if c.Do == End && rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
		c.Do = Join
	}
	if rapid.Bool().Draw(t, "other") {
		c.Who = rapid.SampledFrom(people).Draw(t, "who").Subject
	}
	if c.Do == Promote {
		c.Role = rapid.SampledFrom(roles).Draw(t, "role")
	}
	return c, rapid.SampledFrom(people).Draw(t, "actor")
}

// drawHistory applies commands and returns all states on the way.
func drawHistory(t *rapid.T, s State, by string) State {
	for range rapid.IntRange(0, 12).Draw(t, "commands") {
		c, who := drawCommand(t)
		next, err := s.Apply(c, who, by, noon)
		if err != nil && !Same(s, next) {
			t.Fatalf("%v refused (%v), and something has changed", c, err)
		}
		if s.hosts() > 0 && next.hosts() == 0 {
			t.Fatalf("%v by %s leaves nobody", c, who.Subject)
		}
		s = next
	}
	return s
}

// Copies that grew apart become the same, whoever merges with whom and how often.
func TestMergeMakesTheSameOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawHistory(t, State{Room: "town"}, "r")
		a, b, c := drawHistory(t, base, "a"), drawHistory(t, base, "b"), drawHistory(t, base, "c")
		m := func(x, y State) State {
			out, err := Merge(x, y)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		if !Same(m(a, b), m(b, a)) {
			t.Fatal("it matters who merges")
		}
		if !Same(m(m(a, b), c), m(a, m(b, c))) {
			t.Fatal("it matters in which order")
		}
		if !Same(m(a, a), a) || !Same(m(m(a, b), b), m(a, b)) {
			t.Fatal("it matters how often")
		}
		if !Same(m(base, a), a) {
			t.Fatal("an old copy takes something back")
		}
	})
}

func TestNobodyRisesByHimself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawHistory(t, State{Room: "town"}, "r")
		for _, who := range []Actor{dan, eve} {
			before := s.RoleOf(who.Subject, who.Role)
			if rank(before) > 0 {
				continue // somebody made him something
			}
			c, _ := drawCommand(t)
			next, err := s.Apply(c, who, "r", noon)
			if err == nil && rank(next.RoleOf(who.Subject, who.Role)) > rank(before) {
				t.Fatalf("%s becomes %q by %v", who.Subject, next.RoleOf(who.Subject, who.Role), c)
			}
			for _, other := range people {
				if other.Subject != who.Subject && err == nil && next.People[other.Subject] != s.People[other.Subject] {
					t.Fatalf("%s changes %s by %v", who.Subject, other.Subject, c)
				}
			}
		}
	})
}

func TestStateSurvivesItsEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawHistory(t, State{Room: "town"}, "r")
		s, _ = s.Succeed(Presence{"bob": noon}, "r", noon, time.Minute)
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b, "town")
		if err != nil || !Same(got, s) {
			t.Fatalf("%s: %v", b, err)
		}
		if _, err := Decode(b, "moon"); !errors.Is(err, ErrMalformed) {
			t.Fatalf("another room's: %v", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	s, err := (State{Room: "town"}).Apply(Command{Do: Create, Title: "x"}, ada, "r", noon)
	if err != nil {
		f.Fatal(err)
	}
	good, _ := s.Encode()
	for _, seed := range []string{
		string(good), `{}`, `{"room":"town"}`, `[]`, ``, `{"room":"town","clock":-1}`,
		`{"room":"town","clock":1,"phase":{"v":"gone","at":{"n":1}}}`,
		`{"room":"town","clock":1,"title":{"v":"x","at":{"n":2}}}`,
		`{"room":"town","clock":18446744073709551615}`,
		`{"room":"town","clock":1,"people":{"a":{"role":{"v":"king","at":{"n":1}}}}}`,
		string(good) + "x",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b, "town")
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%v", err)
			}
			return
		}
		// Whatever was taken can be gone on with.
		if s.Phase.Value == Live {
			if next, err := s.Apply(Command{Do: Raise}, Actor{Subject: "zoe"}, "r", noon); err == nil && next.Clock != s.Clock+1 {
				t.Errorf("clock %d after %d", next.Clock, s.Clock)
			}
		}
		out, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Decode(out, "town"); err != nil || !Same(again, s) {
			t.Errorf("%s: %v", out, err)
		}
	})
}

// What is sent of a change makes the receiver's copy the sender's.
func TestDiffIsWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := drawHistory(t, State{Room: "town"}, "r")
		a, other := drawHistory(t, base, "a"), drawHistory(t, base, "b")
		b, err := Merge(a, other)
		if err != nil {
			t.Fatal(err)
		}
		for _, later := range []State{a, b} {
			d := Diff(base, later)
			wire, err := d.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if d, err = Decode(wire, "town"); err != nil {
				t.Fatal(err)
			}
			if got, err := Merge(base, d); err != nil || !Same(got, later) {
				t.Fatalf("%+v, want %+v: %v", got, later, err)
			}
		}
		if d := Diff(b, b); d.Size() != 0 {
			t.Fatalf("of nothing: %+v", d)
		}
	})
}

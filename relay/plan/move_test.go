package plan

import (
	"strconv"
	"testing"
	"time"
)

const secs = time.Second

// at is a moment of the tests.
func at(d time.Duration) time.Time { return time.Unix(1_700_000_000, 0).Add(d) }

func everybody(string) bool { return true }

// In a zone of 20 with degree 6 the parents of 12 are 4 and 5; theirs are 2 and
// 3, and theirs the roots 0 and 1.
func TestNext(t *testing.T) {
	way := func(name string, h Health) Way { return Way{name, h} }
	works := func(name string) Held { return Held{Old: way(name, Working)} }
	move := func(old, next Way) Held { return Held{old, next} }
	stay := Move{}
	take := func(c Colour, name string) Move { return Move{Step: Take, Colour: c, Parent: name} }
	drop := func(c Colour, name string) Move { return Move{Step: Drop, Colour: c, Parent: name} }
	ask := func(m Move) Move { m.Ask = true; return m }
	tests := []struct {
		name      string
		self      string
		red, blue Held
		left      time.Duration // when a working parent was left; 0: never
		gone      string        // who is not in the directory
		want      Move          // at 100 s
	}{
		{"nothing held", "12", Held{}, Held{}, 0, "", take(Red, "4")},
		{"red being tried", "12", move(way("4", Trying), Way{}), Held{}, 0, "", take(Blue, "5")},
		{"both being tried", "12", move(way("4", Trying), Way{}), move(way("5", Trying), Way{}), 0, "", stay},
		{"as planned", "12", works("4"), works("5"), 0, "", stay},
		{"the red root", "0", Held{}, works("1"), 0, "", stay},
		{"red is dead and no longer planned", "12", Held{Old: way("2", Dead)}, works("5"), 0, "", take(Red, "4")},
		{"dead, hold-down or not", "12", Held{Old: way("2", Dead)}, works("5"), 99 * secs, "", take(Red, "4")},
		{"both are dead: the roots", "12", Held{Old: way("2", Dead)}, Held{Old: way("3", Dead)}, 99 * secs, "", take(Red, "0")},
		{"the other too, while red is tried", "12", move(way("2", Dead), way("0", Trying)), Held{Old: way("3", Dead)}, 99 * secs, "", take(Blue, "1")},
		{"both are dead, and a root", "12", Held{Old: way("0", Dead)}, Held{Old: way("3", Dead)}, 99 * secs, "", take(Red, "4")},
		{"both are dead, red's replacement works", "12", move(way("2", Dead), way("4", Working)), Held{Old: way("3", Dead)}, 99 * secs, "", drop(Red, "2")},
		{"dead though planned: its own parent", "12", Held{Old: way("4", Dead)}, works("5"), 0, "", ask(take(Red, "2"))},
		{"dead, and its parent unknown: the root", "12", Held{Old: way("4", Dead)}, works("5"), 0, "2", ask(take(Red, "0"))},
		{"the replacement works", "12", move(way("4", Dead), way("2", Working)), works("5"), 99 * secs, "", ask(drop(Red, "4"))},
		{"the replacement is dead, too", "12", move(way("4", Dead), way("2", Dead)), works("5"), 0, "", ask(drop(Red, "2"))},
		{"never delivered and not planned", "12", Held{Old: way("2", Trying)}, works("5"), 0, "", take(Red, "4")},
		{"both are others: red first", "12", works("2"), works("3"), 0, "", take(Red, "4")},
		{"both are others, blue's has left: blue first", "12", works("2"), works("left"), 0, "", take(Blue, "5")},
		{"both have left: red first", "12", works("gone"), works("left"), 0, "", take(Red, "4")},
		{"not before the new one works", "12", move(way("2", Working), way("4", Trying)), works("3"), 0, "", stay},
		{"then the old one goes", "12", move(way("2", Working), way("4", Working)), works("3"), 0, "", drop(Red, "2")},
		{"but not while blue does not work", "12", move(way("2", Working), way("4", Working)), Held{Old: way("5", Dead)}, 0, "3", ask(take(Blue, "1"))},
		{"and blue within the hold-down not at all", "12", works("4"), works("3"), 97 * secs, "", Move{At: at(102 * secs)}},
		{"and blue after the hold-down", "12", works("4"), works("3"), 95 * secs, "", take(Blue, "5")},
		{"none is left while red does not work", "12", Held{Old: way("4", Trying)}, works("3"), 0, "", stay},
		{"the new one died", "12", move(way("2", Working), way("4", Dead)), works("5"), 0, "", ask(drop(Red, "4"))},
		{"the new one is planned no more", "12", move(way("4", Working), way("6", Working)), works("5"), 0, "", drop(Red, "6")},
		{"nor the one being tried", "12", move(way("2", Dead), way("6", Trying)), works("5"), 0, "", drop(Red, "6")},
		{"but it works and the old one does not", "12", move(way("2", Dead), way("6", Working)), works("5"), 0, "", drop(Red, "2")},
		{"became red root", "0", works("7"), works("1"), 0, "", drop(Red, "7")},
		{"became red root within the hold-down", "0", works("7"), works("1"), 99 * secs, "", Move{At: at(104 * secs)}},
		{"became red root, blue does not work", "0", works("7"), Held{Old: way("1", Trying)}, 0, "", stay},
		{"became red root of one who died", "0", Held{Old: way("7", Dead)}, works("1"), 99 * secs, "", drop(Red, "7")},
		{"became red root in the middle of a move", "0", move(way("7", Working), way("8", Trying)), works("1"), 0, "", drop(Red, "8")},
		{"the planned one is unknown: not worse than its parent", "12", works("2"), works("5"), 0, "4", ask(stay)},
		{"nobody will do but the one held works", "1", works("7"), Held{}, 0, "0", ask(stay)},
		{"not in the plan: the roots", "new", Held{}, Held{}, 0, "", ask(take(Red, "0"))},
	}
	p := numbered(t, 20)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Mover{Room: "r", Self: tt.self}
			checkErr(t, "Adopt", m.Adopt(at(0), p), nil)
			if tt.left > 0 {
				m.left = at(tt.left)
			}
			got := m.Next(at(100*secs), [2]Held{tt.red, tt.blue}, func(name string) bool { return name != tt.gone })
			if got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

// numbered is a plan of relays named by their place, in one zone, degree 6.
func numbered(t testing.TB, n int) *Plan {
	t.Helper()
	p := grown(t, 6, 1, n)
	q := *p
	q.room = "r"
	q.zones = []zone{{name: "z"}}
	for i := range n {
		q.zones[0].relays = append(q.zones[0].relays, strconv.Itoa(i))
	}
	q.version.Keeper = "0"
	checkErr(t, "numbered", q.Validate(), nil)
	return &q
}

func TestAdoptRefuses(t *testing.T) {
	p := numbered(t, 20)
	q, _, err := p.Leave("7")
	if err != nil {
		t.Fatal(err)
	}
	m := Mover{Room: "r", Self: "12"}
	if got := m.Next(at(0), [2]Held{}, everybody); got != (Move{}) {
		t.Errorf("without a plan: %+v", got)
	}
	checkErr(t, "the first", m.Adopt(at(0), q), nil)
	checkErr(t, "the one before", m.Adopt(at(1), p), ErrOld)
	checkErr(t, "the same again", m.Adopt(at(1), q), ErrOld)
	other := Mover{Room: "other", Self: "12"}
	checkErr(t, "another room's", other.Adopt(at(1), q), ErrRoom)
	if m.Plan() != q || other.Plan() != nil {
		t.Error("a refused plan was taken")
	}
}

// A relay that was below us becomes our parent. It may still take from us, so it
// has to wait until everybody has followed.
func TestNotFromBelow(t *testing.T) {
	before := numbered(t, 20) // 4 feeds 12 in red
	after, _, err := before.WithRoot(Red, "12")
	if err != nil {
		t.Fatal(err)
	}
	m := Mover{Room: "r", Self: "2"}
	checkErr(t, "before", m.Adopt(at(0), before), nil)
	checkErr(t, "after", m.Adopt(at(50*secs), after), nil)
	held := [2]Held{{Old: Way{"0", Working}}, {Old: Way{"1", Working}}}
	if got, want := m.Next(at(51*secs), held, everybody), (Move{At: at(65 * secs)}); got != want {
		t.Errorf("soon after: %+v, want %+v", got, want)
	}
	if got, want := m.Next(at(65*secs), held, everybody), (Move{Step: Take, Parent: "12"}); got != want {
		t.Errorf("at leisure: %+v, want %+v", got, want)
	}
	dead := [2]Held{{Old: Way{"0", Dead}}, {Old: Way{"1", Working}}}
	m = Mover{Room: "r", Self: "2"}
	checkErr(t, "before", m.Adopt(at(0), before), nil)
	checkErr(t, "after", m.Adopt(at(50*secs), after), nil)
	if got := m.Next(at(51*secs), dead, everybody); got.Step != Stay {
		t.Errorf("it took from a relay below: %+v", got)
	}
}

// A dead parent that was let go is not the next one to be tried.
func TestADeadParentIsShunned(t *testing.T) {
	m := Mover{Room: "r", Self: "12"}
	checkErr(t, "Adopt", m.Adopt(at(0), numbered(t, 20)), nil)
	blue := Held{Old: Way{"5", Working}}
	got := m.Next(at(0), [2]Held{{Way{"4", Dead}, Way{"2", Working}}, blue}, everybody)
	if got != (Move{Step: Drop, Parent: "4", Ask: true}) {
		t.Fatalf("%+v", got)
	}
	held := [2]Held{{Old: Way{"2", Working}}, blue}
	if got, want := m.Next(at(1*secs), held, everybody), (Move{At: at(15 * secs), Ask: true}); got != want {
		t.Errorf("soon after: %+v, want %+v", got, want)
	}
	if got, want := m.Next(at(15*secs), held, everybody), (Move{Step: Take, Parent: "4"}); got != want {
		t.Errorf("later: %+v, want %+v", got, want)
	}
}

// A burst of plans does not pile up.
func TestFewPlansAreRemembered(t *testing.T) {
	m := Mover{Room: "r", Self: "12"}
	p := numbered(t, 20)
	for i := range 1000 {
		checkErr(t, "Adopt", m.Adopt(at(time.Duration(i)*100*time.Millisecond), p), nil)
		m.Next(at(time.Duration(i)*100*time.Millisecond), [2]Held{}, everybody)
		p = p.next()
	}
	if n := len(m.past); n < 3 || n > 2*settling {
		t.Errorf("%d plans are remembered", n)
	}
}

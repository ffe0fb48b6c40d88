package stage

import (
	"fmt"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/token"
)

func TestAnnouncedRoomBeginsByItself(t *testing.T) {
	s := must(t, State{Room: "town"}, Command{Do: Create, Starts: noon.Add(time.Hour)}, ada)
	if s.MayBeHeard("ada", token.RoleHost) {
		t.Error("a host is heard before the room has begun")
	}
	if _, begun := s.Begin("r", noon.Add(time.Hour-time.Millisecond)); begun {
		t.Error("begun too early")
	}
	s, begun := s.Begin("r", noon.Add(time.Hour))
	if !begun || s.View().State != Live || !s.MayBeHeard("ada", token.RoleHost) {
		t.Errorf("%+v", s.View())
	}
	if _, again := s.Begin("r", noon.Add(2*time.Hour)); again {
		t.Error("begun twice")
	}
}

// Whoever comes again changes nothing, and a full stage keeps nobody from being
// known by name.
func TestJoinIsNotedOnce(t *testing.T) {
	s := town(t)
	join := func(who Actor) State { return must(t, s, Command{Do: Join}, who) }
	for i := 0; s.onStage() < MaxStage; i++ {
		s = join(Actor{Subject: fmt.Sprintf("s%d", i), Name: fmt.Sprintf("S%d", i), Role: token.RoleSpeaker})
	}
	late := Actor{Subject: "late", Name: "Late", Role: token.RoleSpeaker}
	s = join(late)
	if s.onStage() != MaxStage || !s.Noted(late) {
		t.Errorf("%d on the stage, noted %v", s.onStage(), s.Noted(late))
	}
	if again := join(late); again.Clock != s.Clock {
		t.Errorf("version %d after %d", again.Clock, s.Clock)
	}
	s = must(t, s, Command{Do: MuteOn, Who: "Late"}, ada)
	if s.MayBeHeard("late", token.RoleSpeaker) {
		t.Error("muted by name, and heard")
	}
	boss := Actor{Subject: "boss", Name: "Boss", Role: token.RoleHost}
	if s = join(boss); s.RoleOf("boss", "") != token.RoleHost {
		t.Error("a full stage keeps a host out")
	}
}

// Two halves of a split that were both full make one state that others take.
func TestMergeOfFullRoomsStaysWithinBounds(t *testing.T) {
	half := func(by string) State {
		s := town(t)
		for i := range MaxHands {
			s.Clock++
			s.Hands[fmt.Sprintf("%s-%05d", by, i)] = Hand{Field: Field[bool]{Value: i%2 == 0, Stamp: Stamp{N: s.Clock, By: by}}}
		}
		for i := range MaxPeople - len(s.People) {
			s.Clock++
			s.People[fmt.Sprintf("%s-%05d", by, i)] = Person{Banned: Field[bool]{Value: i == 7, Stamp: Stamp{N: s.Clock, By: by}}}
		}
		return s
	}
	a, b := half("a"), half("b")
	m, err := Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := Merge(b, a)
	if !Same(m, other) {
		t.Error("it matters who merges")
	}
	wire, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(wire, "town"); err != nil {
		t.Error(err)
	}
	if !m.Banned("a-00007") || !m.Banned("b-00007") || m.RoleOf("ada", "") != token.RoleHost {
		t.Error("what matters is forgotten")
	}
	if len(m.RaisedHands()) != MaxHands {
		t.Errorf("%d hands are up", len(m.RaisedHands()))
	}
}

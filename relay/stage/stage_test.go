package stage

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/token"
)

var noon = time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)

// The people of the tests; no others have tokens.
var (
	ada = Actor{Subject: "ada", Name: "Ada", Role: token.RoleHost}
	bob = Actor{Subject: "bob", Name: "Bob", Role: token.RoleCohost}
	cyd = Actor{Subject: "cyd", Name: "Cyd", Role: token.RoleSpeaker}
	dan = Actor{Subject: "dan", Name: "Dan", Role: token.RoleListener}
	eve = Actor{Subject: "eve", Name: "Eve"}
)

// town is a live room with its people on the stage.
func town(t *testing.T) State {
	t.Helper()
	s := State{Room: "town"}
	s = must(t, s, Command{Do: Create, Title: "Town hall"}, ada)
	s = must(t, s, Command{Do: Join}, bob)
	return must(t, s, Command{Do: Join}, cyd)
}

func must(t *testing.T, s State, c Command, who Actor) State {
	t.Helper()
	next, err := s.Apply(c, who, "relay-a", noon)
	if err != nil {
		t.Fatalf("%s %s by %s: %v", c.Do, c.Who, who.Subject, err)
	}
	return next
}

func TestCommands(t *testing.T) {
	muted := func(subject string, want Mute) func(State) string {
		return func(s State) string {
			if got := s.People[subject].Muted.Value; got != want {
				return fmt.Sprintf("%s is muted %q", subject, got)
			}
			return ""
		}
	}
	role := func(who Actor, want token.Role) func(State) string {
		return func(s State) string {
			if got := s.RoleOf(who.Subject, who.Role); got != want {
				return fmt.Sprintf("%s is %q", who.Subject, got)
			}
			return ""
		}
	}
	tests := []struct {
		name  string
		first []Command // by ada
		c     Command
		who   Actor
		err   error
		check func(State) string
	}{
		{"a host mutes a speaker", nil, Command{Do: MuteOn, Who: "cyd"}, ada, nil, muted("cyd", ByHost)},
		{"by the name that is shown", nil, Command{Do: MuteOn, Who: "Cyd"}, ada, nil, muted("cyd", ByHost)},
		{"oneself", nil, Command{Do: MuteOn}, cyd, nil, muted("cyd", BySelf)},
		{"a host's mute is not undone by whom it is on", []Command{{Do: MuteOn, Who: "cyd"}}, Command{Do: MuteOff}, cyd, ErrNotAllowed, nil},
		{"nor by a co-host on himself", []Command{{Do: MuteOn, Who: "bob"}}, Command{Do: MuteOff}, bob, ErrNotAllowed, nil},
		{"a co-host undoes it", []Command{{Do: MuteOn, Who: "cyd"}}, Command{Do: MuteOff, Who: "cyd"}, bob, nil, muted("cyd", Unmuted)},
		{"a speaker mutes nobody else", nil, Command{Do: MuteOn, Who: "bob"}, cyd, ErrNotAllowed, nil},
		{"a co-host mutes no host", nil, Command{Do: MuteOn, Who: "ada"}, bob, ErrNotAllowed, nil},
		{"nobody of that name", nil, Command{Do: MuteOn, Who: "zoe"}, ada, ErrUnknown, nil},
		{"an invitation", nil, Command{Do: Invite, Who: "dan"}, bob, nil, role(dan, token.RoleSpeaker)},
		{"a co-host makes no co-hosts", nil, Command{Do: Promote, Who: "dan", Role: token.RoleCohost}, bob, ErrNotAllowed, nil},
		{"a host does", nil, Command{Do: Promote, Who: "dan", Role: token.RoleCohost}, ada, nil, role(dan, token.RoleCohost)},
		{"off the stage", nil, Command{Do: Promote, Who: "cyd", Role: token.RoleListener}, bob, nil, role(cyd, token.RoleListener)},
		{"a listener promotes nobody", nil, Command{Do: Promote, Who: "dan", Role: token.RoleHost}, dan, ErrNotAllowed, nil},
		{"not even with a role he made up", nil, Command{Do: Promote, Who: "eve", Role: token.RoleHost}, eve, ErrNotAllowed, nil},
		{"removed", nil, Command{Do: Remove, Who: "cyd"}, bob, nil, role(cyd, token.RoleListener)},
		{"banned", nil, Command{Do: Ban, Who: "cyd"}, ada, nil, role(cyd, "")},
		{"a co-host bans nobody", nil, Command{Do: Ban, Who: "cyd"}, bob, ErrNotAllowed, nil},
		{"nobody bans himself", nil, Command{Do: Ban, Who: "ada"}, ada, ErrNotAllowed, nil},
		{"who is banned does nothing", []Command{{Do: Ban, Who: "cyd"}}, Command{Do: Raise}, cyd, ErrBanned, nil},
		{"ahead of his coming", nil, Command{Do: Ban, Who: "mallory"}, ada, nil, role(Actor{Subject: "mallory", Role: token.RoleSpeaker}, "")},
		{"forgiven", []Command{{Do: Ban, Who: "dan"}, {Do: Unban, Who: "dan"}}, Command{Do: Raise}, dan, nil, role(dan, token.RoleListener)},
		{"the last host is not muted", []Command{{Do: Promote, Who: "bob", Role: token.RoleHost}, {Do: MuteOn, Who: "bob"}}, Command{Do: MuteOn, Who: "ada"}, Actor{Subject: "bob", Role: token.RoleHost}, ErrLastHost, nil},
		{"a hand", nil, Command{Do: Raise}, dan, nil, func(s State) string {
			if got := s.RaisedHands(); !slices.Equal(got, []string{"dan"}) {
				return fmt.Sprint(got)
			}
			return ""
		}},
		{"nobody raises another's", nil, Command{Do: Raise, Who: "cyd"}, dan, ErrNotAllowed, nil},
		{"the end", nil, Command{Do: End}, ada, nil, func(s State) string {
			if s.MayBeHeard("cyd", cyd.Role) || s.View().State != Ended {
				return "it goes on"
			}
			return ""
		}},
		{"a co-host ends nothing", nil, Command{Do: End}, bob, ErrNotAllowed, nil},
		{"what has ended stays so", []Command{{Do: End}}, Command{Do: Raise}, dan, ErrEnded, nil},
		{"under that name too", []Command{{Do: End}}, Command{Do: Create}, ada, ErrEnded, nil},
		{"twice", nil, Command{Do: Create}, ada, ErrExists, nil},
		{"for another version", nil, Command{Do: MuteOn, Who: "cyd", Version: 1}, ada, ErrOutdated, nil},
		{"for this one", nil, Command{Do: MuteOn, Who: "cyd", Version: 3}, ada, nil, muted("cyd", ByHost)},
		{"no such verb", nil, Command{Do: "explode"}, ada, ErrMalformed, nil},
		{"no such role", nil, Command{Do: Promote, Who: "dan", Role: "king"}, ada, ErrMalformed, nil},
		{"no role", nil, Command{Do: Promote, Who: "dan"}, ada, ErrMalformed, nil},
		{"a role where none belongs", nil, Command{Do: MuteOn, Who: "cyd", Role: token.RoleHost}, ada, ErrMalformed, nil},
		{"a long name", nil, Command{Do: Ban, Who: strings.Repeat("x", MaxSubject+1)}, ada, ErrMalformed, nil},
		{"a line break in a name", nil, Command{Do: Ban, Who: "a\nb"}, ada, ErrMalformed, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := town(t)
			for _, c := range tt.first {
				s = must(t, s, c, ada)
			}
			before, _ := s.Encode()
			next, err := s.Apply(tt.c, tt.who, "relay-a", noon)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("%v, want %v", err, tt.err)
			}
			if after, _ := s.Encode(); string(after) != string(before) {
				t.Error("the state before has changed")
			}
			if err != nil {
				if !Same(s, next) {
					t.Error("refused, and something has changed")
				}
				return
			}
			if next.Clock != s.Clock+1 {
				t.Errorf("version %d after %d", next.Clock, s.Clock)
			}
			if wrong := tt.check(next); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

func TestOnlyHostsMakeRooms(t *testing.T) {
	for _, who := range []Actor{bob, cyd, dan, eve} {
		if _, err := (State{Room: "town"}).Apply(Command{Do: Create}, who, "relay-a", noon); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("%s: %v", who.Subject, err)
		}
	}
	if _, err := (State{Room: "town"}).Apply(Command{Do: Raise}, dan, "relay-a", noon); !errors.Is(err, ErrUnknown) {
		t.Errorf("a hand in no room: %v", err)
	}
}

func TestAnnouncedRoomWaitsForItsStart(t *testing.T) {
	s := must(t, State{Room: "town"}, Command{Do: Create, Starts: noon.Add(time.Hour)}, ada)
	if v := s.View(); v.State != Announced || !v.Starts.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", v)
	}
	s = must(t, s, Command{Do: Start}, ada)
	if v := s.View(); v.State != Live {
		t.Errorf("%+v", v)
	}
	if _, err := (State{Room: "town"}).Apply(Command{Do: Create, Starts: noon.Add(9000 * time.Hour)}, ada, "", noon); !errors.Is(err, ErrMalformed) {
		t.Errorf("far ahead: %v", err)
	}
}

func TestTwoOfOneNameHaveToBeToldApart(t *testing.T) {
	s := must(t, town(t), Command{Do: Join}, Actor{Subject: "cyd2", Name: "Cyd", Role: token.RoleSpeaker})
	_, err := s.Apply(Command{Do: MuteOn, Who: "Cyd"}, ada, "relay-a", noon)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "cyd, cyd2") {
		t.Errorf("%v", err)
	}
}

func TestStageAndHandsAreBounded(t *testing.T) {
	s := town(t)
	var err error
	for i := 0; err == nil && i < 100; i++ {
		s, err = s.Apply(Command{Do: Invite, Who: fmt.Sprintf("guest-%d", i)}, ada, "relay-a", noon)
	}
	if !errors.Is(err, ErrFull) || len(s.View().Stage) != MaxStage {
		t.Errorf("%d on the stage, %v", len(s.View().Stage), err)
	}
	up := func(i int) error {
		next, err := s.Apply(Command{Do: Raise}, Actor{Subject: fmt.Sprintf("hand-%05d", i)}, "relay-a", noon)
		s = next
		return err
	}
	// Filled as commands would, without the cost of 10,000 copies.
	for i := range MaxHands {
		s.Clock++
		s.Hands[fmt.Sprintf("hand-%05d", i)] = Hand{Field: Field[bool]{Value: true, Stamp: Stamp{N: s.Clock}}}
	}
	if err := up(MaxHands); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	s = must(t, s, Command{Do: Lower}, Actor{Subject: "hand-00007"})
	if err := up(MaxHands); err != nil {
		t.Errorf("after one went down: %v", err)
	}
	raised := s.RaisedHands()
	if len(raised) != MaxHands || raised[0] != "hand-00000" || raised[len(raised)-1] != fmt.Sprintf("hand-%05d", MaxHands) {
		t.Errorf("%d hands, %s first, %s last", len(raised), raised[0], raised[len(raised)-1])
	}
}

func TestSuccession(t *testing.T) {
	const grace = 20 * time.Second
	s := must(t, town(t), Command{Do: Promote, Who: "cyd", Role: token.RoleCohost}, ada)
	step := func(at time.Duration, seen Presence, want string) {
		t.Helper()
		for subject := range seen {
			if seen[subject].IsZero() {
				seen[subject] = noon.Add(at)
			}
		}
		s, _ = s.Succeed(seen, "relay-a", noon.Add(at), grace)
		if s.Acting.Value != want {
			t.Fatalf("after %v: %q stands in, want %q", at, s.Acting.Value, want)
		}
	}
	now := time.Time{}
	step(0, Presence{"ada": now, "bob": now, "cyd": now}, "")
	step(19*time.Second, Presence{"ada": noon, "bob": now, "cyd": now}, "")
	step(20*time.Second, Presence{"ada": noon, "bob": now, "cyd": now}, "bob") // co-host before cyd
	if s.RoleOf("bob", bob.Role) != token.RoleHost {
		t.Error("who stands in is no host")
	}
	step(30*time.Second, Presence{"bob": noon.Add(20 * time.Second), "cyd": now}, "bob")
	step(40*time.Second, Presence{"bob": noon.Add(20 * time.Second), "cyd": now}, "cyd")
	step(50*time.Second, Presence{"bob": now, "cyd": now}, "cyd") // nobody is replaced who does it
	step(80*time.Second, Presence{}, "cyd")                       // nor left without anybody
	step(90*time.Second, Presence{"ada": now, "cyd": now}, "")
	if s.RoleOf("cyd", cyd.Role) != token.RoleCohost {
		t.Error("who stood in is host still")
	}
}

func TestHostWhoJoinsIsHostAtOnce(t *testing.T) {
	s, changed := town(t).Succeed(Presence{"bob": noon}, "relay-a", noon, time.Second)
	if !changed || s.Acting.Value != "bob" {
		t.Fatalf("%q stands in", s.Acting.Value)
	}
	if s = must(t, s, Command{Do: Join}, ada); s.Acting.Value != "" {
		t.Errorf("%q still stands in", s.Acting.Value)
	}
}

func TestViewTellsNoSubjects(t *testing.T) {
	s := must(t, State{Room: "town"}, Command{Do: Create}, Actor{Subject: "secret-1", Name: "Ada", Role: token.RoleHost})
	s = must(t, s, Command{Do: Raise}, Actor{Subject: "secret-2"})
	v := fmt.Sprintf("%+v", s.View())
	if strings.Contains(v, "secret") || s.View().Hands != 1 {
		t.Error(v)
	}
}

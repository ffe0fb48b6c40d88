package stage

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/token"
)

// Two of one name are two people, each of whom is told what they are themselves.
func TestYou(t *testing.T) {
	ada := Actor{"ada", "Ada", token.RoleHost}
	eve, twin := Actor{"eve@x", "Eve", token.RoleListener}, Actor{"eve@y", "Eve", token.RoleListener}
	s := State{Room: "town"}
	do := func(who Actor, c Command) {
		t.Helper()
		next, err := s.Apply(c, who, "a", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	you := func(who Actor, want You) {
		t.Helper()
		if got := s.You(who, s.Places()); got != want {
			t.Errorf("version %d: %s is %+v, want %+v", s.Clock, who.Subject, got, want)
		}
	}
	you(eve, You{Role: token.RoleListener})
	you(Actor{Subject: "x"}, You{Role: token.RoleListener})
	do(ada, Command{Do: Create})
	do(twin, Command{Do: Raise})
	do(eve, Command{Do: Raise})
	you(ada, You{Role: token.RoleHost, Place: 1})
	you(twin, You{Role: token.RoleListener, Hand: 1})
	you(eve, You{Role: token.RoleListener, Hand: 2})
	if got, want := s.Queue(), []RaisedHand{{"eve@y", "Eve"}, {"eve@x", "Eve"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("queue %v", got)
	}
	if _, err := s.Apply(Command{Do: Invite, Who: "Eve"}, ada, "a", time.Now()); err == nil || !strings.Contains(err.Error(), "eve@x, eve@y") {
		t.Errorf("one of two Eves: %v", err)
	}
	do(ada, Command{Do: Invite, Who: "eve@y"})
	you(twin, You{Role: token.RoleSpeaker, Place: 2})
	you(eve, You{Role: token.RoleListener, Hand: 1})
	if v := s.View(); v.Stage[1].Name != "Eve" || v.Stage[1].Subject != "" {
		t.Errorf("invited: %+v", v.Stage)
	}
	do(ada, Command{Do: Invite, Who: "eve@x"})
	you(eve, You{Role: token.RoleSpeaker, Place: 2}) // of one name, by subject
	you(twin, You{Role: token.RoleSpeaker, Place: 3})
	do(twin, Command{Do: MuteOn})
	do(ada, Command{Do: MuteOn, Who: "eve@x"})
	you(twin, You{Role: token.RoleSpeaker, Place: 3, Muted: BySelf})
	you(eve, You{Role: token.RoleSpeaker, Place: 2, Muted: ByHost})
	do(ada, Command{Do: Remove, Who: "eve@y"})
	you(twin, You{Role: token.RoleListener, Muted: BySelf, Removed: 1})
	do(ada, Command{Do: Ban, Who: "eve@x"})
	you(eve, You{Role: token.RoleListener, Muted: ByHost, Removed: 1, Banned: true})
	do(ada, Command{Do: Promote, Who: "eve@y", Role: token.RoleListener})
	you(Actor{"eve@y", "Eve", token.RoleSpeaker}, You{Role: token.RoleListener, Muted: BySelf, Removed: 1}) // whatever the token says
}

// Whoever looks after a room sees who is who, and nobody else does.
func TestViewOf(t *testing.T) {
	s, err := State{Room: "town"}.Apply(Command{Do: Create}, Actor{"ada@secret", "Ada", token.RoleHost}, "a", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for role, sees := range map[token.Role]bool{token.RoleHost: true, token.RoleCohost: true, token.RoleSpeaker: false, token.RoleListener: false} {
		v := s.ViewOf(s.You(Actor{Subject: "bob", Role: role}, s.Places()))
		if v.You.Role != role || (v.Stage[0].Subject == "ada@secret") != sees {
			t.Errorf("%s: %+v of %+v", role, v.You, v.Stage)
		}
	}
}

// A hand's name is bounded and shown as it is, like a person's.
func TestHandNames(t *testing.T) {
	s, err := State{Room: "town"}.Apply(Command{Do: Create}, Actor{"ada", "Ada", token.RoleHost}, "a", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "bob", "B\x07ob\n": "Bob", strings.Repeat("é", 100): strings.Repeat("é", MaxName)} {
		next, err := s.Apply(Command{Do: Raise}, Actor{"bob", name, token.RoleListener}, "a", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := next.Queue(); len(got) != 1 || got[0].Name != want {
			t.Errorf("%q: %v", name, got)
		}
		b, err := next.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(b, "town"); err != nil || !Same(back, next) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, good := range map[string]bool{`"Bob"`: true, `"` + strings.Repeat("x", MaxName+1) + `"`: false, `"a\nb"`: false, `3`: false} {
		if _, err := Decode([]byte(`{"room":"town","clock":1,"hands":{"bob":{"v":true,"at":{"n":1},"name":`+name+`}}}`), "town"); (err == nil) != good {
			t.Errorf("name %s: %v", name, err)
		}
	}
}

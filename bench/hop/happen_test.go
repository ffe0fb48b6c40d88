package hop

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Nobody is struck, but all relays are restarted, and one more joins.
func TestRunWide(t *testing.T) {
	o := small(t)
	o.Loopback, o.Roles, o.Causes, o.Quiet = true, []Role{None}, WideCauses, time.Second
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []Outcome{{Role: All, Cause: Restart, Victim: "3 relays"}, {Role: New, Cause: Join, Victim: "zone1-2"}}
	if len(r.Kills) != len(want) || r.Partial || r.Quiet.Expect != 6*50 {
		t.Fatalf("%+v", r)
	}
	for i, got := range r.Kills {
		if w := want[i]; got.Role != w.Role || got.Cause != w.Cause || got.Victim != w.Victim || got.Expect == 0 || got.ReadyMS == 0 || got.Late != "" || got.Skipped != "" {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
}

// Whoever hears nothing is named, and so is what the relay says that it tried.
func TestSilent(t *testing.T) {
	o, err := small(t).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{o: o, site: &site{}}
	dir := t.TempDir()
	if _, err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	relay, err := newRelay(r.site, o, 0, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := relay.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.close)
	r.relays = append(r.relays, relay)
	err = r.silent(t.Context(), Report{Deaf: 1, DeafOnes: []Deaf{{Listener: 3, First: relay.url, Error: "it is gone"}}})
	if !errors.Is(err, ErrSilence) {
		t.Fatal(err)
	}
	for _, want := range []string{"1 listeners of 6", "listener 3", "it is gone", `/v1/members: {`, "zone1-1 relay"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it lacks %q: %v", want, err)
		}
	}
}

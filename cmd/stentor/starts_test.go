package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

func TestStartsAt(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no time zones on this machine:", err)
	}
	now := time.Date(2026, 3, 28, 19, 30, 0, 0, paris) // that night clocks go forward
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"10m", "2026-03-28T18:40:00Z"},
		{"+10m", "2026-03-28T18:40:00Z"},
		{"20:00", "2026-03-28T19:00:00Z"},
		{"20:00:30", "2026-03-28T19:00:30Z"},
		{"19:30", "2026-03-29T17:30:00Z"}, // tomorrow, an hour less from UTC
		{"08:15", "2026-03-29T06:15:00Z"},
		{"2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"},
		{"2026-12-24T18:00:00+02:00", "2026-12-24T16:00:00Z"},
		{"-10m", "usage"},
		{"0s", "usage"},
		{"2026-03-28T10:00:00Z", "usage"},
		{"24:00", "usage"},
		{"tomorrow", "usage"},
		{"20", "usage"},
	} {
		got, err := startsAt(tt.text, now)
		if err != nil && exitCode(err) == exitUsage && strings.Contains(err.Error(), "--starts") {
			got = "usage"
		}
		if got != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.text, got, err, tt.want)
		}
	}
}

func TestUntil(t *testing.T) {
	now := time.Date(2026, 3, 28, 19, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		left time.Duration
		want string
	}{
		{-time.Second, "0:00"},
		{time.Millisecond, "0:01"},
		{10 * time.Minute, "10:00"},
		{59*time.Minute + 59*time.Second + 1, "1:00:00"},
		{25 * time.Hour, "1 day 1:00:00"},
		{50 * time.Hour, "2 days 2:00:00"},
	} {
		if got := until(now.Add(tt.left), now); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.left, got, tt.want)
		}
	}
}

// Who waits is told once, sees the time pass, and is told when it begins.
func TestOpening(t *testing.T) {
	var out bytes.Buffer
	o := &opening{p: &progress{out: &out}}
	now := time.Now()
	at := now.Add(90 * time.Second).Round(time.Second)
	room := stage.View{Room: "town", Title: "a\x1b[2Jb", State: stage.Announced, Starts: &at, Version: 1}
	o.told(room)
	room.Version, room.Hands = 2, 5
	o.told(room)
	if said := out.String(); strings.Count(said, "begins at") != 1 || strings.Contains(said, "\x1b") {
		t.Errorf("said %q", said)
	}
	if line, waits := o.waits(at.Add(-30 * time.Second)); !waits || line != "begins in 0:30" {
		t.Errorf("%q, %v", line, waits)
	}
	if line, waits := o.waits(at.Add(time.Second)); !waits || line != "begins any moment" {
		t.Errorf("%q, %v", line, waits)
	}
	room.State = stage.Live
	o.told(room)
	if _, waits := o.waits(at); waits || !strings.HasSuffix(out.String(), "begins\n") {
		t.Errorf("waits: %v; said %q", waits, out.String())
	}
}

// A speaker hears of what was decided about them, and nobody of what was not.
func TestStanding(t *testing.T) {
	var out bytes.Buffer
	s := &standing{p: &progress{out: &out}, name: "ada"}
	tell := func(role string, muted bool) string {
		out.Reset()
		s.told(stage.View{Stage: []stage.PersonView{{Name: "bob", Muted: true}, {Name: "ada", Role: "speaker", Muted: muted}}})
		if role != "speaker" {
			s.told(stage.View{Stage: []stage.PersonView{{Name: "ada", Role: "cohost", Muted: muted}}})
		}
		return out.String()
	}
	for _, tt := range []struct {
		role  string
		muted bool
		says  string
	}{
		{"speaker", false, ""},
		{"speaker", true, "you are muted: what you say is passed on to nobody\n"},
		{"speaker", true, ""},
		{"speaker", false, "you are heard again\n"},
		{"cohost", false, "you are cohost now, and were speaker\n"},
	} {
		if said := tell(tt.role, tt.muted); said != tt.says {
			t.Errorf("%+v: said %q", tt, said)
		}
	}
}

package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/relay/stage"
)

// startsAt reads when a room begins: a time of this day or the next (20:00), a time
// with its day (RFC 3339), or how long from now (10m). The answer is RFC 3339, UTC.
func startsAt(text string, now time.Time) (string, error) {
	if text == "" {
		return "", nil
	}
	at, err := parseStart(text, now)
	if err != nil {
		return "", err
	}
	if !at.After(now) {
		return "", usagef("--starts %q: that has passed", text)
	}
	return at.UTC().Format(time.RFC3339), nil
}

func parseStart(text string, now time.Time) (time.Time, error) {
	if in, err := time.ParseDuration(text); err == nil {
		return now.Add(in), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, form := range []string{"15:04", "15:04:05"} {
		clock, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		// By the calendar, not by 24 hours: a day may have 23 or 25.
		at := func(days int) time.Time {
			return time.Date(now.Year(), now.Month(), now.Day()+days, clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
		}
		if today := at(0); today.After(now) {
			return today, nil
		}
		return at(1), nil
	}
	return time.Time{}, usagef("--starts %q: want a time such as 20:00 or 2026-12-24T18:00:00Z, or how long from now, such as 10m", text)
}

// An opening is when a room begins, for who waits there.
type opening struct {
	p *progress

	mu   sync.Mutex
	view stage.View
}

// told takes what the relay says of the room.
func (o *opening) told(v stage.View) {
	o.mu.Lock()
	before := o.view
	o.view = v
	o.mu.Unlock()
	switch {
	case v.State == stage.Announced && v.Starts != nil && !same(before.Starts, v.Starts):
		o.p.say("%s begins at %s, in %s; waiting", roomName(v), when(*v.Starts), until(*v.Starts, time.Now()))
	case v.State == stage.Live && before.State == stage.Announced:
		o.p.say("%s begins", roomName(v))
	case v.State == stage.Ended && before.State != stage.Ended:
		o.p.say("%s has ended", roomName(v))
	}
}

// waits reports whether the room has not begun, and what there is to see of that.
func (o *opening) waits(now time.Time) (line string, waits bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.view.State != stage.Announced {
		return "", false
	}
	if o.view.Starts == nil || !o.view.Starts.After(now) {
		return "begins any moment", true // the room's clock is another
	}
	return "begins in " + until(*o.view.Starts, now), true
}

func same(a, b *time.Time) bool { return a != nil && b != nil && a.Equal(*b) }

// roomName is what a room is called, with its title if it has one.
func roomName(v stage.View) string {
	if v.Title == "" {
		return printable(v.Room)
	}
	return fmt.Sprintf("%s (%s)", printable(v.Room), printable(v.Title))
}

// when is a moment for people here, with its day if that is another.
func when(at time.Time) string {
	at = at.Local()
	form := "15:04:05 MST"
	if y, m, d := time.Now().Date(); at.Year() != y || at.Month() != m || at.Day() != d {
		form = "2006-01-02 " + form
	}
	return at.Format(form)
}

// until counts down to a moment, in whole seconds and none too early.
func until(at, now time.Time) string {
	left := max(at.Sub(now), 0)
	left = (left + time.Second - 1).Truncate(time.Second)
	days := left / (24 * time.Hour)
	if days == 0 {
		return clock(left)
	}
	return strings.TrimSpace(count(uint64(days), "day") + " " + clock(left-days*24*time.Hour))
}

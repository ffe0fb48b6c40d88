package hop

import (
	"fmt"
	"strings"
	"time"
)

const (
	// maxGaps is how many gaps of one listener are told of a time, and maxMisses
	// how many of all of them.
	maxGaps   = 8
	maxMisses = 40
	// around is how many frames before and after the first lost one are told.
	around = 5
)

// Never is the way of a frame that has not come.
const Never = -1

// A Gap is frames in a row that were not there when they would have to be played.
type Gap struct {
	Sequence uint64 `json:"sequence"` // of the first one
	Frames   int    `json:"frames"`
	Capture  int64  `json:"capture_us"` // its timestamp, since 1970

	// LateMS is by how much the first one missed its time, or Never. Repaired says
	// that it was then fetched.
	LateMS   int64 `json:"late_ms"`
	Repaired bool  `json:"repaired,omitempty"`

	// Ways are how much longer than the least the frames took that came before and
	// after the first one, which is in the middle, in ms, or Never.
	Ways []int64 `json:"ways_ms"`
}

// Gaps are the gaps that [Account.Between] counts, the first few of them.
func (a *Account) Gaps(from, to int64, delay time.Duration) (gaps []Gap) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.way) == 0 || a.least == 0 {
		return nil
	}
	open := false
	for i := a.index(from); i < a.index(to); i++ {
		switch {
		case a.inTime(i, delay):
			open = false
		case open:
			gaps[len(gaps)-1].Frames++
		case len(gaps) == maxGaps:
			return gaps
		default:
			open = true
			gaps = append(gaps, a.gap(i, delay))
		}
	}
	return gaps
}

// gap is one that begins with frame i.
func (a *Account) gap(i int, delay time.Duration) Gap {
	g := Gap{Sequence: a.first + uint64(i), Frames: 1, Capture: a.capture(i), LateMS: Never}
	if over := a.over(i); over != Never {
		// Late by less than a millisecond is late.
		g.LateMS = max(over-delay.Milliseconds(), 0)
		g.Repaired = a.way[i]&fetched != 0
	}
	for j := i - around; j <= i+around; j++ {
		g.Ways = append(g.Ways, a.over(j))
	}
	return g
}

// over is how much longer than the least frame i took, in ms, or Never.
func (a *Account) over(i int) int64 {
	if i < 0 || i >= len(a.way) || a.way[i] == 0 {
		return Never
	}
	return (int64(a.way[i]&^fetched) - int64(a.least)) / 1000
}

// Took is how much longer than the least the frame with a sequence took, in ms,
// or Never.
func (a *Account) Took(sequence uint64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.least == 0 || sequence < a.first || sequence-a.first >= maxFrames {
		return Never
	}
	return a.over(int(sequence - a.first))
}

// A Miss is a gap of one listener, and what it was about then.
type Miss struct {
	Listener int    `json:"listener"` // from 1
	Relay    string `json:"relay"`    // that it was with
	Standby  string `json:"standby"`  // that it has now
	Gap
	Hops []Moved `json:"hops,omitempty"` // of the time that is told, AtMS since its beginning

	// Of the listeners that the relay has now: how many had the first frame, and
	// how long the slowest of them took, in ms over its least.
	Others  int   `json:"others"`
	Slowest int64 `json:"slowest_ms"`

	// And of the listeners of other relays.
	Elsewhere        int   `json:"elsewhere"`
	SlowestElsewhere int64 `json:"slowest_elsewhere_ms"`

	// StallMS is the longest that the process of the listeners did not get to run
	// while the frame was on its way: what is late by no more may be late for that.
	StallMS int64 `json:"stall_ms"`
}

// relayAt is with whom a listener was at a time, in ms after it began, that is
// now with a relay.
func relayAt(hops []Moved, at int64, now string) string {
	for _, h := range hops {
		if h.AtMS > at {
			return h.From
		}
	}
	return now
}

// text is the miss for people; from is when the time began, in µs since 1970.
func (m Miss) text(from int64) string {
	var b strings.Builder
	standby := ""
	if m.Standby != "" {
		standby = ", standby now " + m.Standby
	}
	fmt.Fprintf(&b, "listener %d at %s%s: %d lost, %d ms in, from %d (%d of 6), ", m.Listener, m.Relay, standby, m.Frames,
		(m.Capture-from)/1000, m.Sequence, m.Sequence%6)
	switch {
	case m.LateMS == Never:
		b.WriteString("which never came")
	case m.Repaired:
		fmt.Fprintf(&b, "which was fetched %d ms late", m.LateMS)
	default:
		fmt.Fprintf(&b, "which came %d ms late", m.LateMS)
	}
	b.WriteString("; ways, ms over the least:")
	for i, w := range m.Ways {
		format := " %s"
		if i == around {
			format = " [%s]"
		}
		way := "-"
		if w != Never {
			way = fmt.Sprint(w)
		}
		fmt.Fprintf(&b, format, way)
	}
	fmt.Fprintf(&b, "; %d others at %s had it within %d ms, %d elsewhere within %d ms", m.Others, m.Relay, m.Slowest, m.Elsewhere, m.SlowestElsewhere)
	if m.StallMS > 0 {
		fmt.Fprintf(&b, "; listeners could not run for %d ms", m.StallMS)
	}
	for _, h := range m.Hops {
		fmt.Fprintf(&b, "; at %d ms %s to %s (%s, %d ms)", h.AtMS, h.From, h.To, h.Cause, h.TookMS)
	}
	return b.String()
}

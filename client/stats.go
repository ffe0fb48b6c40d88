package client

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/client/playout"
)

// Stats is what a Listener counted. Its JSON form is what `stentor listen
// --stats` writes; frames are 20 ms source frames whatever the packets hold.
type Stats struct {
	Room       string         `json:"room"`
	DurationMS int64          `json:"duration_ms"`
	Relay      string         `json:"relay"`
	Standby    string         `json:"standby"`
	Tracks     []TrackStats   `json:"tracks"`
	Hops       []HopStats     `json:"hops"`
	Latency    *LatencyMillis `json:"latency_ms,omitempty"` // nil: no clock in common
}

// TrackStats counts the frames of one speaker.
type TrackStats struct {
	Speaker   string `json:"speaker"`
	First     uint64 `json:"first"`    // sequence of the first frame played or given up
	Last      uint64 `json:"last"`     // and of the last
	Expected  uint64 `json:"expected"` // those in between, both included
	Played    uint64 `json:"played"`
	Lost      uint64 `json:"lost"`      // not here when their time came
	Concealed uint64 `json:"concealed"` // of those lost: bridged by the decoder
	Repaired  uint64 `json:"repaired"`  // of those played: fetched
	Duplicate uint64 `json:"duplicate"` // further copies
	Late      uint64 `json:"late"`      // came when they had been given up

	// Malformed counts groups that held no Opus; Live says that the speaker is
	// announced. They are beyond the contract and left out when zero.
	Malformed uint64 `json:"malformed,omitempty"`
	Live      bool   `json:"live,omitempty"`
	PacketMS  int64  `json:"packet_ms,omitempty"`
}

// HopStats is one change of the relay. Lost are the frames that were not there
// when their time came, from its beginning until two seconds after its end.
type HopStats struct {
	AtMS   int64  `json:"at_ms"`
	From   string `json:"from"`
	To     string `json:"to"`
	Cause  string `json:"cause"` // drain, load, closed, silence, network or better
	TookMS int64  `json:"took_ms"`
	Lost   uint64 `json:"lost"`
}

// LatencyMillis is the time from capture to arrival, in milliseconds.
type LatencyMillis struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func (l *Listener) age() time.Duration { return now() - time.Duration(l.began.Load()) }

// A frame's latency is believed up to plausibleLatency; what is outside comes
// from a clock that is not ours. Clocks of one machine differ by nothing, but
// timestamps are rounded to microseconds and the timer may fire early.
const (
	plausibleLatency = 30 * time.Second
	clockTolerance   = -2 * time.Millisecond
)

// timed counts how long a frame was on its way. l.mu is held.
func (l *Listener) timed(timestamp uint64, arrived time.Time) {
	if timestamp > math.MaxInt64/2 {
		return
	}
	latency := time.Duration(arrived.UnixMicro()-int64(timestamp)) * time.Microsecond
	if latency >= clockTolerance && latency <= plausibleLatency {
		l.latency.add(latency)
	}
}

// Stats returns the present counters.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Room:       l.o.Room,
		Relay:      l.relay,
		DurationMS: l.age().Milliseconds(),
		Tracks:     []TrackStats{},
		Hops:       []HopStats{},
	}
	if c, _, ok := l.machine.Primary(); ok {
		s.Relay = l.roam.dir.name(c.Name)
	}
	if c, _, ok := l.machine.Standby(); ok {
		s.Standby = l.roam.dir.name(c.Name)
	}
	l.o.Output.Lock()
	for _, t := range l.tracks {
		s.Tracks = append(s.Tracks, t.snapshot())
	}
	l.o.Output.Unlock()
	slices.SortFunc(s.Tracks, func(a, b TrackStats) int { return cmp.Compare(a.Speaker, b.Speaker) })
	for _, h := range l.hops.list {
		s.Hops = append(s.Hops, h.HopStats)
	}
	if l.latency.n > 0 {
		s.Latency = &LatencyMillis{
			P50: millis(l.latency.quantile(0.5)),
			P99: millis(l.latency.quantile(0.99)),
			Max: millis(l.latency.max),
		}
	}
	return s
}

// snapshot is the counters of one track; the output is locked.
func (t *track) snapshot() TrackStats {
	var current playout.Stats
	if t.buffer != nil {
		current = t.buffer.Stats()
	}
	n := t.stats(current)
	return TrackStats{
		Speaker:   t.key.speaker,
		First:     n.First,
		Last:      n.Last,
		Expected:  n.Expected,
		Played:    n.Played,
		Lost:      n.Lost,
		Concealed: n.Concealed,
		Repaired:  n.Repaired,
		Duplicate: n.Duplicate,
		Late:      n.Late,
		Malformed: t.malformed,
		Live:      !t.gone,
		PacketMS:  t.info.Packet.Milliseconds(),
	}
}

// millis is d in milliseconds, to the nearest hundredth.
func millis(d time.Duration) float64 {
	return math.Round(float64(d)/float64(10*time.Microsecond)) / 100
}

package hop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/client/playout"
)

// A Report is what a process of listeners says of a time.
type Report struct {
	Expected  uint64 `json:"expected"`
	Lost      uint64 `json:"lost"`
	LongestMS int64  `json:"longest_ms"`
	Hurt      int    `json:"hurt"`            // listeners that lost something
	Strange   uint64 `json:"strange"`         // frames so far whose time does not fit their sequence
	Deaf      int    `json:"deaf"`            // listeners that had heard nothing to learn from
	Ended     int    `json:"ended"`           // listeners that gave up
	Error     string `json:"error,omitempty"` // of the first of those

	TookMS []int64        `json:"took_ms"` // by each hop that began in the time
	Causes map[string]int `json:"causes"`  // of those hops

	At      map[string]int `json:"at,omitempty"`       // how many are with each relay now
	Standby map[string]int `json:"standby,omitempty"`  // and stand by there
	Moved   int            `json:"moved"`              // who are not with the relay that they were with at the last mark
	StallMS int64          `json:"stall_ms"`           // the longest that the process did not get to run
	FirstMS []int64        `json:"first_ms,omitempty"` // of those who have learned: from coming until the first frame

	Misses   []Miss `json:"misses,omitempty"`    // what was lost, the first of it
	DeafOnes []Deaf `json:"deaf_ones,omitempty"` // as many as Misses may be
}

// since tells the times of hops from a later beginning on.
func (r *Report) since(later time.Duration) {
	told := make(map[*Moved]bool) // several misses may share theirs
	for _, m := range r.Misses {
		for i := range m.Hops {
			if h := &m.Hops[i]; !told[h] {
				told[h] = true
				h.AtMS -= later.Milliseconds()
			}
		}
	}
}

// A Crowd is the listeners of one process.
type Crowd struct {
	delay time.Duration
	ears  []*seat
	tasks sync.WaitGroup

	stalls stalls
	marked []string // with whom each listener was; of obey's goroutine

	mu    sync.Mutex
	ended int
	first error
}

// A seat is a listener and what it heard.
type seat struct {
	first   string // the relay that it tries first
	ear     Ear
	account Account
	began   time.Time
}

// NewCrowd makes listeners, each of which begins with another of the doors.
func NewCrowd(o EarOptions, listeners int, newEar func(EarOptions, Hearer) (Ear, error)) (*Crowd, error) {
	c := &Crowd{delay: o.Delay}
	for i := range listeners {
		s := &seat{}
		own := o
		n := len(o.Doors)
		own.Doors = nil
		for j := range n {
			own.Doors = append(own.Doors, o.Doors[(i+j)%n])
		}
		if n > 0 {
			s.first = own.Doors[0].URL
			for j := range own.Doors { // it stands where the first one does, whomever it asks
				own.Doors[j].Zone = own.Doors[0].Zone
			}
		}
		var err error
		if s.ear, err = newEar(own, s.account.Hear); err != nil {
			return nil, fmt.Errorf("listener %d: %w", i+1, err)
		}
		c.ears = append(c.ears, s)
	}
	return c, nil
}

// Run listens until ctx ends. Listeners come one after the other, evenly spread
// over the time.
func (c *Crowd) Run(ctx context.Context, over time.Duration) {
	each := over / time.Duration(max(len(c.ears), 1))
	tick := time.NewTicker(max(each, time.Millisecond))
	defer tick.Stop()
	defer c.tasks.Wait()
	c.tasks.Go(func() { c.stalls.watch(ctx) })
	for _, s := range c.ears {
		s.began = time.Now()
		c.tasks.Go(func() {
			if err := s.ear.Run(ctx); ctx.Err() == nil {
				c.left(err)
			}
		})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	<-ctx.Done()
}

func (c *Crowd) left(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended++; c.first == nil {
		c.first = err
	}
}

// Learn lets every listener learn what is normal and tells who has heard nothing
// to learn from.
func (c *Crowd) Learn() (r Report) {
	for i, s := range c.ears {
		if s.account.Learn() {
			heard, _ := s.account.Began()
			r.FirstMS = append(r.FirstMS, heard.Sub(s.began).Milliseconds())
			continue
		}
		if r.Deaf++; r.Deaf > maxMisses {
			continue
		}
		now := s.ear.State()
		d := Deaf{Listener: i + 1, First: s.first, Relay: now.Relay, Standby: now.Standby}
		if now.Err != nil {
			d.Error = now.Err.Error()
		}
		r.DeafOnes = append(r.DeafOnes, d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Ended = c.ended; c.first != nil {
		r.Error = c.first.Error()
	}
	return r
}

// Mark notes with whom each listener is, and tells it.
func (c *Crowd) Mark() (r Report) {
	c.marked = make([]string, len(c.ears))
	standby := make([]string, len(c.ears))
	for i, s := range c.ears {
		now := s.ear.State()
		c.marked[i], standby[i] = now.Relay, now.Standby
	}
	r.At, r.Standby = tallied(c.marked), tallied(standby)
	return r
}

// tallied counts how often each name occurs. Nobody has no name.
func tallied(names []string) map[string]int {
	counts := make(map[string]int)
	for _, name := range names {
		if name != "" {
			counts[name]++
		}
	}
	return counts
}

// delayOf is a listener's playout delay: that of a player whose packets are as long.
func (c *Crowd) delayOf(packet time.Duration) time.Duration {
	return c.delay + playout.DefaultDelay(packet) - playout.DefaultDelay(0)
}

// misses are what one listener missed.
func (c *Crowd) misses(i int, from, to int64) (all []Miss) {
	s := c.ears[i]
	now, hops, began := s.ear.State(), s.ear.Hops(), s.began.UnixMicro()
	var told []Moved
	for _, h := range hops {
		if at := began + 1000*h.AtMS; at >= from && at < to {
			h.AtMS = (at - from) / 1000
			told = append(told, h)
		}
	}
	for _, g := range s.account.Gaps(from, to, c.delayOf(now.Packet)) {
		m := Miss{Listener: i + 1, Standby: now.Standby, Gap: g, Hops: told, Slowest: Never, SlowestElsewhere: Never}
		m.Relay = relayAt(hops, (g.Capture-began)/1000, now.Relay)
		for j, other := range c.ears {
			switch took := other.account.Took(g.Sequence); {
			case j == i || took == Never:
			case other.ear.State().Relay == m.Relay:
				m.Others, m.Slowest = m.Others+1, max(m.Slowest, took)
			default:
				m.Elsewhere, m.SlowestElsewhere = m.Elsewhere+1, max(m.SlowestElsewhere, took)
			}
		}
		// From when it was spoken until it would have come in time, and a little.
		m.StallMS = c.stalls.longest(g.Capture, g.Capture+(2*c.delay).Microseconds())
		all = append(all, m)
	}
	return all
}

// Report counts the frames with timestamps from from to to, in µs since 1970, of
// all listeners. Those who have not learned count as deaf and have no frames.
func (c *Crowd) Report(from, to int64) Report {
	var sum Heard
	r := Report{Causes: make(map[string]int), StallMS: c.stalls.longest(from, to)}
	where, standby := make([]string, len(c.ears)), make([]string, len(c.ears))
	for i, s := range c.ears {
		now := s.ear.State()
		where[i], standby[i] = now.Relay, now.Standby
		if i < len(c.marked) && c.marked[i] != now.Relay {
			r.Moved++
		}
		h := s.account.Between(from, to, c.delayOf(now.Packet))
		sum = sum.Add(h)
		if h.Lost > 0 {
			r.Hurt++
			if len(r.Misses) < maxMisses {
				r.Misses = append(r.Misses, c.misses(i, from, to)...)
			}
		}
		if h.Expected == 0 {
			r.Deaf++
		}
		for _, m := range s.ear.Hops() {
			if at := s.began.UnixMicro() + 1000*m.AtMS; at >= from && at < to {
				r.TookMS = append(r.TookMS, m.TookMS)
				r.Causes[m.Cause]++
			}
		}
	}
	r.At, r.Standby = tallied(where), tallied(standby)
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Expected, r.Lost, r.LongestMS, r.Strange = sum.Expected, sum.Lost, sum.Longest.Milliseconds(), sum.Strange
	if r.Ended = c.ended; c.first != nil {
		r.Error = c.first.Error()
	}
	return r
}

// Listen is the process of the listeners: it writes "ready N" to out once they
// begin to come. Then "learn" on in makes them learn, "mark" notes where they are,
// and "report FROM TO" writes the [Report] of that time, each answered by a line of
// JSON. It ends with in or ctx.
func Listen(ctx context.Context, o EarOptions, listeners int, over time.Duration, in io.Reader, out io.Writer) (err error) {
	debug.SetGCPercent(spareMemory)
	if o.Pool, err = crowd.NewPool(listeners/perSocket+1, ":0"); err != nil {
		return err
	}
	defer o.Pool.Close()
	c, err := NewCrowd(o, listeners, NewEar)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx, over) })
	defer running.Wait()
	defer stop()
	if _, err := fmt.Fprintf(out, "ready %d\n", listeners); err != nil {
		return err
	}
	return c.obey(ctx, in, out)
}

const (
	// perSocket is how many listeners share a socket, each with two sessions.
	perSocket = 64
	// spareMemory lets the process of the listeners grow rather than collect: its
	// processors are the relays' as well.
	spareMemory = 800
)

// obey answers the lines of the input.
func (c *Crowd) obey(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := make(chan string)
	go func() { // ends with in, which nothing interrupts
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	answers := json.NewEncoder(out)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			var r Report
			var from, to int64
			switch line {
			case "learn":
				r = c.Learn()
			case "mark":
				r = c.Mark()
			default:
				if _, err := fmt.Sscanf(line, "report %d %d", &from, &to); err != nil {
					continue
				}
				r = c.Report(from, to)
			}
			if err := answers.Encode(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

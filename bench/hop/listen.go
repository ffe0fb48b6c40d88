package hop

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
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

// NewCrowd makes listeners, each of which begins with another of the relays.
func NewCrowd(o EarOptions, listeners int, newEar func(EarOptions, Hearer) (Ear, error)) (*Crowd, error) {
	c := &Crowd{delay: o.Delay}
	for i := range listeners {
		s := &seat{}
		own := o
		n := len(o.Relays)
		own.Relays = nil
		for j := range n {
			own.Relays = append(own.Relays, o.Relays[(i+j)%n])
		}
		if n > 0 {
			s.first = own.Relays[0]
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
	for _, g := range s.account.Gaps(from, to, c.delay) {
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
	r := Report{Causes: make(map[string]int)}
	for i, s := range c.ears {
		h := s.account.Between(from, to, c.delay)
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
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Expected, r.Lost, r.LongestMS, r.Strange = sum.Expected, sum.Lost, sum.Longest.Milliseconds(), sum.Strange
	if r.Ended = c.ended; c.first != nil {
		r.Error = c.first.Error()
	}
	return r
}

// Listen is the process of the listeners: it writes "ready N" to out once they
// begin to come. Then "learn" on in makes them learn, and "report FROM TO" writes
// the [Report] of that time, each answered by a line of JSON. It ends with in or
// ctx.
func Listen(ctx context.Context, o EarOptions, listeners int, over time.Duration, in io.Reader, out io.Writer) error {
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
			if line == "learn" {
				r = c.Learn()
			} else if _, err := fmt.Sscanf(line, "report %d %d", &from, &to); err == nil {
				r = c.Report(from, to)
			} else {
				continue
			}
			if err := answers.Encode(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

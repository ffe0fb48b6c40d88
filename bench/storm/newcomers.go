package storm

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// An order is what the newcomers' process is told, a line each.
type order struct {
	Address   string        `json:"address"`
	Broadcast protocol.Path `json:"broadcast,omitempty"` // empty: only shake hands
	Seconds   float64       `json:"seconds"`

	// Together many come, each as soon as the one before is in; or Rate many a
	// second, whatever becomes of those before, of whom People come again until
	// they are in, for After seconds at the most.
	Together int     `json:"together,omitempty"`
	Rate     float64 `json:"rate,omitempty"`
	Stay     float64 `json:"stay,omitempty"` // seconds, of those who have come in
	People   int     `json:"people,omitempty"`
	After    float64 `json:"after,omitempty"`

	// Lobby is where those who wait are told how long.
	Lobby string `json:"lobby,omitempty"`
}

// An account is what the process answers.
type account struct {
	Attempts int `json:"attempts"`
	Admitted int `json:"admitted"` // attempts that ended in audio
	Refused  int `json:"refused"`
	Silent   int `json:"silent"`
	Failed   int `json:"failed"` // attempts that ended in something else

	Deferred int     `json:"deferred"` // newcomers who had to wait
	LeftOut  int     `json:"left_out"` // people who were not in at the end
	LastInS  float64 `json:"last_in_s"`
	Storm    float64 `json:"storm_s"` // how long newcomers came

	Join  Quantiles `json:"join"`
	Audio Quantiles `json:"audio"`
	Wait  Quantiles `json:"wait"` // that people were told

	PerSecond []second `json:"per_second,omitempty"`
	Error     string   `json:"error,omitempty"` // the first of Failed
}

// A second is what happened in one.
type second struct {
	Attempts int `json:"attempts"`
	Admitted int `json:"admitted"`
	Waiting  int `json:"waiting"`
}

// Newcomers obeys orders, each a line of JSON on in, and answers each with a line
// on out, until in or ctx ends.
func Newcomers(ctx context.Context, in io.Reader, out io.Writer) error {
	if _, err := fmt.Fprintln(out, "ready newcomers"); err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return fmt.Errorf("order: %w", err)
		}
		a, err := o.obey(ctx)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// obey does what an order says.
func (o order) obey(ctx context.Context) (*account, error) {
	g, err := openGate(o.Address)
	if err != nil {
		return nil, err
	}
	defer g.close()
	c := &crowd{order: o, gate: g, began: time.Now()}
	if o.Together > 0 {
		c.inTurns(ctx)
	} else {
		c.storm(ctx)
	}
	c.tasks.Wait()
	a := &c.account
	a.Join, a.Audio, a.Wait = quantiles(c.joins), quantiles(c.audio), quantiles(c.waits)
	return &c.account, nil
}

// A crowd carries out one order.
type crowd struct {
	order
	gate  *gate
	began time.Time
	tasks sync.WaitGroup

	mu       sync.Mutex
	account  account
	joins    []int64 // µs, and so the next two
	audio    []int64
	waits    []int64
	waiting  []time.Time // of people: when each comes again
	under    int         // attempts under way
	people   int         // who have come
	inside   int         // of whom have had audio
	lobbyMS  int64       // what it said last
	lobbyAsk time.Time
}

// attempt is one newcomer's.
func (c *crowd) attempt(ctx context.Context, t int) (*visit, error) {
	transport := c.gate.transports[t%len(c.gate.transports)]
	if c.Broadcast == "" {
		return c.gate.shake(ctx, transport)
	}
	return c.gate.enter(ctx, transport, c.Broadcast)
}

// note counts an attempt.
func (c *crowd) note(v *visit, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.account
	a.Attempts++
	switch {
	case err == nil:
		a.Admitted++
		c.joins = append(c.joins, v.joined.Microseconds())
		c.audio = append(c.audio, v.firstAudio.Microseconds())
		c.second().Admitted++
	case errors.Is(err, errWait):
		a.Refused++
	case errors.Is(err, errSilent):
		a.Silent++
	default:
		if a.Failed++; a.Error == "" {
			a.Error = err.Error()
		}
	}
}

// second is the present one's record. mu is held.
func (c *crowd) second() *second {
	n := int(time.Since(c.began).Seconds())
	for len(c.account.PerSecond) <= n {
		c.account.PerSecond = append(c.account.PerSecond, second{})
	}
	return &c.account.PerSecond[n]
}

// shortPause is how soon somebody comes again who only wants to know how many can.
const shortPause = 50 * time.Millisecond

// inTurns has a number of newcomers come and go.
func (c *crowd) inTurns(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, time.Duration(c.Seconds*float64(time.Second)))
	defer stop()
	for i := range c.Together {
		c.tasks.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				v, err := c.attempt(context.WithoutCancel(ctx), n)
				c.note(v, err)
				if err != nil {
					pause(ctx, shortPause/2+rand.N(shortPause))
					continue
				}
				c.tasks.Go(func() {
					pause(ctx, time.Duration(c.Stay*float64(time.Second)))
					v.leave()
				})
			}
		})
	}
	<-ctx.Done()
	c.account.Storm = time.Since(c.began).Seconds()
}

const (
	// mostUnderWay bounds the newcomers' process.
	mostUnderWay = 2000
)

// storm has newcomers come at a rate, then waits for those who wait.
func (c *crowd) storm(ctx context.Context) {
	end := c.began.Add(time.Duration(c.Seconds * float64(time.Second)))
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		if now.After(end) {
			break
		}
		for due := int(c.Rate * now.Sub(c.began).Seconds()); n < due; n++ {
			if !c.send(ctx, n, now, true) {
				n = due // the process is at its limit: what is not sent is not offered
			}
		}
	}
	c.account.Storm = time.Since(c.began).Seconds()
	over := end.Add(time.Duration(c.After * float64(time.Second)))
	for n := 0; ctx.Err() == nil; n++ {
		now := <-tick.C
		if c.done() || now.After(over) {
			break
		}
		for c.send(ctx, n, now, false) {
			n++
		}
	}
	c.tasks.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.account.LeftOut = c.people - c.inside
}

// done reports whether everybody is in.
func (c *crowd) done() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inside == c.people
}

// send starts an attempt: of somebody whose waiting time is over, or else, in the
// storm, of somebody who has not come yet; and when all people have, of one who
// looks in and goes on if told to wait. It reports false if there is nobody.
func (c *crowd) send(ctx context.Context, n int, now time.Time, fresh bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under >= mostUnderWay {
		return false
	}
	person := false
	switch at := slices.IndexFunc(c.waiting, func(t time.Time) bool { return !t.After(now) }); {
	case at >= 0:
		c.waiting[at] = c.waiting[len(c.waiting)-1]
		c.waiting = c.waiting[:len(c.waiting)-1]
		person = true
	case !fresh:
		return false
	case c.people < c.People:
		c.people++
		person = true
	}
	s := c.second()
	s.Attempts++
	s.Waiting = len(c.waiting)
	c.under++
	c.tasks.Go(func() { c.come(ctx, n, person) })
	return true
}

// come is one attempt, and what follows of it.
func (c *crowd) come(ctx context.Context, n int, person bool) {
	v, err := c.attempt(ctx, n)
	c.note(v, err)
	c.mu.Lock()
	c.under--
	switch {
	case err == nil:
		if person {
			c.inside++
			c.account.LastInS = time.Since(c.began).Seconds()
		}
	case person:
		wait := c.told()
		c.waits = append(c.waits, wait.Microseconds())
		c.waiting = append(c.waiting, time.Now().Add(wait))
		fallthrough
	default:
		c.account.Deferred++
	}
	c.mu.Unlock()
	if err == nil {
		pause(ctx, time.Duration(c.Stay*float64(time.Second)))
		v.leave()
	}
}

// lobbyFor is how long a cache keeps what the lobby says (Cache-Control).
const lobbyFor = time.Second

// told is how long somebody is to wait: what the lobby says, which comes out of a
// cache as it would for a great many; within half of it and half as much again,
// because the cache gives all the same. If it says nothing, a second, as the
// client library waits. mu is held.
func (c *crowd) told() time.Duration {
	if time.Since(c.lobbyAsk) >= lobbyFor {
		c.lobbyAsk = time.Now()
		c.tasks.Go(c.askLobby)
	}
	wait := max(time.Duration(c.lobbyMS)*time.Millisecond, time.Second)
	return wait/2 + rand.N(wait)
}

func (c *crowd) askLobby() {
	resp, err := http.Get(c.Lobby)
	if err != nil {
		return // what it said before holds
	}
	defer func() { _ = resp.Body.Close() }()
	var said struct {
		RetryAfterMS int64 `json:"retry_after_ms"`
	}
	if json.NewDecoder(resp.Body).Decode(&said) == nil {
		c.mu.Lock()
		c.lobbyMS = said.RetryAfterMS
		c.mu.Unlock()
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

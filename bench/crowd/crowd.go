package crowd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Crowd listens until Close.
type Crowd struct {
	// Set by Join, constant afterwards.
	o      Options
	dialer *dialer
	life   context.Context // ends with Close
	end    context.CancelFunc
	gone   chan struct{} // closed when the last session has ended by itself

	tasks  sync.WaitGroup
	joined atomic.Int64 // listeners that had a session
	ended  atomic.Int64 // those of them whose session has ended by itself

	mu    sync.Mutex
	cause error // of the first session that ended by itself
}

// Join lets the listeners in, evenly spread over time, and returns when each has
// heard its first audio. The first one that fails ends the attempt. Somebody must
// be speaking meanwhile. ctx bounds only the joining.
func Join(ctx context.Context, o Options) (*Crowd, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	d, err := newDialer(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Crowd{o: o, dialer: d, gone: make(chan struct{})}
	c.life, c.end = context.WithCancel(context.WithoutCancel(ctx))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	results := make(chan error)
	c.tasks.Go(func() { c.admit(ctx, results) })
	joined := 0
	for err := range results {
		if err != nil {
			stop(err) // the first one is the cause
			continue
		}
		joined++
		if ctx.Err() == nil {
			o.Joined(joined)
		}
	}
	if err := context.Cause(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// admit starts the listeners at their times and passes on how each one fared.
func (c *Crowd) admit(ctx context.Context, results chan<- error) {
	defer close(results)
	var joining sync.WaitGroup
	defer joining.Wait()
	tick := time.NewTicker(time.Second / time.Duration(c.o.Rate))
	defer tick.Stop()
	for n := range c.o.Listeners {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		joining.Add(1)
		c.tasks.Go(func() {
			l, err := c.join(ctx, n)
			if err == nil {
				c.joined.Add(1)
			}
			results <- err
			joining.Done()
			if err == nil {
				c.left(l.listen(c.life))
			}
		})
	}
}

// attempts is how often a listener tries to join: a handshake can be lost in the
// rush of all the others. Whoever is refused does not ask again.
const attempts = 2

// join lets one listener in.
func (c *Crowd) join(ctx context.Context, number int) (*listener, error) {
	for attempt := 1; ; attempt++ {
		l := &listener{number: number, o: &c.o}
		err := l.join(ctx, c.dialer)
		if err == nil {
			return l, nil
		}
		l.close()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if attempt == attempts || !isTimeout(err) {
			return nil, fmt.Errorf("listener %d: %w", number+1, err)
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, errPatience) || errors.As(err, &timeout) && timeout.Timeout()
}

// left notes that a listener's session has ended.
func (c *Crowd) left(err error) {
	if c.life.Err() != nil {
		return
	}
	c.mu.Lock()
	if c.cause == nil {
		c.cause = err
	}
	c.mu.Unlock()
	if c.ended.Add(1) == int64(c.o.Listeners) { // not before the last one has joined
		close(c.gone)
	}
}

// Present is how many listeners have a session now.
func (c *Crowd) Present() int { return int(c.joined.Load() - c.ended.Load()) }

// Gone is closed when no listener is left although Close was not called.
func (c *Crowd) Gone() <-chan struct{} { return c.gone }

// Err says why the first listener's session ended by itself, nil while none has.
func (c *Crowd) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close ends every session and waits until nobody calls Arrived any more.
func (c *Crowd) Close() {
	c.end()
	c.tasks.Wait()
	c.dialer.close()
}

package hop

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stentor-audio/stentor/bench/crowd"
	"github.com/stentor-audio/stentor/client"
	"github.com/stentor-audio/stentor/client/playout"
)

// An Ear is one listener, who hops by itself.
type Ear interface {
	// Run listens until ctx ends, and says why it stopped.
	Run(ctx context.Context) error
	// Hops are the changes of the relay until now, oldest first.
	Hops() []Moved
	// State is where it is.
	State() State
}

// State is where a listener is.
type State struct {
	Relay, Standby string
	Packet         time.Duration // how much audio a datagram brings; 0: not known yet
	Err            error         // of its newest attempt
}

// A Hearer is told each frame: by itself, or fetched as a repair.
type Hearer func(sequence, timestamp uint64, at time.Time, repaired bool)

// Moved is one change of the relay.
type Moved struct {
	AtMS   int64  `json:"at_ms"` // after the listener began
	From   string `json:"from"`
	To     string `json:"to"`
	Cause  string `json:"cause"`
	TookMS int64  `json:"took_ms"`
}

// EarOptions say who listens, and how.
type EarOptions struct {
	Room   string
	Doors  []Door // the relays whom it asks where to go, in that order
	Direct bool   // it asks nobody: these are where it goes
	Packet time.Duration
	Delay  time.Duration
	Pool   *crowd.Pool // of the sockets; nil: each session has its own
}

// NewEar makes a listener of package client, as `stentor listen` is one, that
// tells each frame as it comes and plays nothing. Every copy is told. Unlike that
// one it finds its relay as a page does, by a lobby.
func NewEar(o EarOptions, hear Hearer) (Ear, error) {
	e := &ear{o: o, hear: hear}
	if len(o.Doors) == 0 {
		return nil, fmt.Errorf("%w: nobody to ask", ErrOptions)
	}
	if !o.Direct {
		return e, nil
	}
	var relays []string
	for _, d := range o.Doors {
		relays = append(relays, d.URL)
	}
	return e, e.found(relays)
}

type ear struct {
	o    EarOptions
	hear Hearer

	mu       sync.Mutex
	listener *client.Listener // nil until it knows whom to listen to
	err      error            // of the newest question
	asked    time.Duration    // how long it took to know
}

// found makes the listener, now that it is known where to go.
func (e *ear) found(relays []string) error {
	own := playout.Config{MinDelay: e.o.Delay}
	if e.o.Delay == playout.DefaultDelay(0) {
		own.MinDelay = 0 // and longer with longer packets
	}
	dial := client.Options{TLS: &tls.Config{InsecureSkipVerify: true}} // the relays made their certificates themselves
	if e.o.Pool != nil {
		dial.DialQUIC = e.o.Pool.Dial
	}
	l, err := client.NewListener(client.ListenOptions{
		Room: e.o.Room, Relays: relays, Packet: e.o.Packet,
		Output:         &witness{Frames: client.NewFrames(own), hear: e.hear},
		Dial:           dial,
		ConnectTimeout: 20 * time.Second,
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listener, e.err = l, nil
	return nil
}

func (e *ear) get() (*client.Listener, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.listener, e.err
}

// ask finds out whom to listen to.
func (e *ear) ask(ctx context.Context) error {
	begun := time.Now()
	relays, err := findRelays(ctx, e.o.Doors, toListen, e.o.Room, rand.Float64(), func(err error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.err = err
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.asked = time.Since(begun)
	e.mu.Unlock()
	return e.found(relays)
}

// Run implements [Ear].
func (e *ear) Run(ctx context.Context) error {
	l, _ := e.get()
	if l == nil {
		if err := e.ask(ctx); err != nil {
			return err
		}
		l, _ = e.get()
	}
	return l.Run(ctx)
}

// Hops implements [Ear].
func (e *ear) Hops() []Moved {
	l, _ := e.get()
	if l == nil {
		return nil
	}
	var out []Moved
	for _, h := range l.Stats().Hops {
		out = append(out, Moved{AtMS: h.AtMS + e.asked.Milliseconds(), From: h.From, To: h.To, Cause: h.Cause, TookMS: h.TookMS})
	}
	return out
}

// State implements [Ear].
func (e *ear) State() State {
	l, err := e.get()
	if l == nil {
		return State{Err: err}
	}
	s := l.Stats()
	state := State{Relay: s.Relay, Standby: s.Standby, Err: l.LastError()}
	for _, t := range s.Tracks {
		state.Packet = max(state.Packet, time.Duration(t.PacketMS)*time.Millisecond)
	}
	return state
}

// A witness is an output that tells what comes, while the frames below it do what
// a player's do: they find holes and have them repaired.
type witness struct {
	*client.Frames
	hear Hearer
}

// Begin implements [client.Output].
func (w *witness) Begin(t client.Track) (client.Buffer, error) {
	b, err := w.Frames.Begin(t)
	if err != nil {
		return nil, err
	}
	return heardBuffer{b, w.hear}, nil
}

// Flow implements [client.Output].
func (w *witness) Flow(now time.Duration) {
	w.Frames.Flow(now)
	for {
		select {
		case <-w.C():
		default:
			return
		}
	}
}

// A heardBuffer tells of each frame that goes in.
type heardBuffer struct {
	client.Buffer
	hear Hearer
}

// Push implements [client.Buffer].
func (b heardBuffer) Push(sequence, timestamp uint64, packet []byte, now time.Duration) playout.Outcome {
	b.hear(sequence, timestamp, time.Now(), false)
	return b.Buffer.Push(sequence, timestamp, packet, now)
}

// PushRepaired implements [client.Buffer].
func (b heardBuffer) PushRepaired(sequence, timestamp uint64, packet []byte, now time.Duration) playout.Outcome {
	b.hear(sequence, timestamp, time.Now(), true)
	return b.Buffer.PushRepaired(sequence, timestamp, packet, now)
}

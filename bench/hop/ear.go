package hop

import (
	"context"
	"crypto/tls"
	"time"

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
	Err            error // of its newest attempt
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
	Relays []string // URLs, in the order in which they are tried
	Packet time.Duration
	Delay  time.Duration
}

// NewEar makes a listener of package client, as `stentor listen` is one, that
// tells each frame as it comes and plays nothing. Every copy is told.
func NewEar(o EarOptions, hear Hearer) (Ear, error) {
	l, err := client.NewListener(client.ListenOptions{
		Room: o.Room, Relays: o.Relays, Packet: o.Packet,
		Output: &witness{Frames: client.NewFrames(playout.Config{MinDelay: o.Delay}), hear: hear},
		// The network is this machine's own, and its relays made their
		// certificates themselves.
		Dial:           client.Options{TLS: &tls.Config{InsecureSkipVerify: true}},
		ConnectTimeout: 20 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	return ear{l}, nil
}

type ear struct{ *client.Listener }

// Hops implements [Ear].
func (e ear) Hops() []Moved {
	var out []Moved
	for _, h := range e.Stats().Hops {
		out = append(out, Moved{AtMS: h.AtMS, From: h.From, To: h.To, Cause: h.Cause, TookMS: h.TookMS})
	}
	return out
}

// State implements [Ear].
func (e ear) State() State {
	s := e.Stats()
	return State{Relay: s.Relay, Standby: s.Standby, Err: e.LastError()}
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

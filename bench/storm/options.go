package storm

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"time"
)

// Options say how hard it blows. The zero value works.
type Options struct {
	// Listeners are in before the storm. Zero means 300.
	Listeners int

	// Factor is how many times the relay's capacity to take newcomers come. Zero
	// means 10.
	Factor float64

	// Duration is how long. Zero means 30 s.
	Duration time.Duration

	// JoinRate fixes the relay's rate of handshakes (--join-rate). Zero leaves it
	// to the relay.
	JoinRate float64

	// After is how long those who still wait when it is over may take to come in.
	// Zero means 60 s.
	After time.Duration

	// Profile writes the relay's CPU profile of the phase in which joins are
	// counted to this file. Empty takes none.
	Profile string

	// Executable is this program. Empty finds it.
	Executable string

	// Progress is told what is done, and how far it is. Nil tells nobody.
	Progress func(step string, done, total int)
}

var (
	// ErrOptions says that the options make no sense.
	ErrOptions = errors.New("bench storm options")
	// ErrInterrupted says that the measurement was ended from outside.
	ErrInterrupted = errors.New("interrupted")
)

// most bounds what is asked of a machine that does other things, too.
const (
	mostListeners = 5000
	mostFactor    = 50
	longest       = 5 * time.Minute
)

func (o Options) withDefaults() (Options, error) {
	o.Listeners = cmp.Or(o.Listeners, 300)
	o.Factor = cmp.Or(o.Factor, 10)
	o.Duration = cmp.Or(o.Duration, 30*time.Second)
	o.After = cmp.Or(o.After, time.Minute)
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	switch {
	case o.Listeners < 1 || o.Listeners > mostListeners:
		return o, fmt.Errorf("%w: %d listeners: want 1 to %d", ErrOptions, o.Listeners, mostListeners)
	case math.IsNaN(o.Factor) || o.Factor <= 0 || o.Factor > mostFactor:
		return o, fmt.Errorf("%w: a factor of %v: want above 0 and at most %d", ErrOptions, o.Factor, mostFactor)
	case o.Duration < time.Second || o.Duration > longest:
		return o, fmt.Errorf("%w: a duration of %v: want 1s to %v", ErrOptions, o.Duration, longest)
	case o.After < 0 || o.After > longest:
		return o, fmt.Errorf("%w: %v afterwards: want at most %v", ErrOptions, o.After, longest)
	case math.IsNaN(o.JoinRate) || o.JoinRate < 0 || o.JoinRate > 1e6:
		return o, fmt.Errorf("%w: a join rate of %v: want a number of handshakes a second", ErrOptions, o.JoinRate)
	}
	if o.Executable == "" {
		self, err := os.Executable()
		if err != nil {
			return o, err
		}
		o.Executable = self
	}
	return o, nil
}

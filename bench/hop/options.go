package hop

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/stentor-audio/stentor/bench/wire"
	"github.com/stentor-audio/stentor/relay/plan"
)

// Options say what to measure. The zero value of each field works.
type Options struct {
	// Relays is how many relays there are, 2 to 60. Zero means 5.
	Relays int

	// Listeners is how many listen, 1 to 5000. Zero means 200.
	Listeners int

	// Degree is how many relays one feeds: with more relays in the room than that,
	// some stand between the roots and the others. Zero means what relays do
	// unasked.
	Degree int

	// Capacity and Egress are what each relay is meant for, in sessions and in
	// packets a second. Zero means what relays do unasked.
	Capacity, Egress int

	// Direct lets each listener begin at another relay, instead of asking a lobby
	// as pages do: then relays have as many listeners each, whatever their load.
	Direct bool

	// Over is how long the listeners take to come, evenly spread. Zero means 20 ms
	// each.
	Over time.Duration

	// Delay is the playout delay with packets of up to 60 ms; with those of 120 ms it
	// is as much longer as a player's. Zero means 200 ms.
	Delay time.Duration

	// Packet is how much audio a datagram to a listener carries: 20, 60 or
	// 120 ms. Zero means what the relays wish.
	Packet time.Duration

	// Conditions are those of the network between the hosts, where there is one.
	// All zero means 40 ms of round trip and 10 ms of jitter.
	Conditions wire.Conditions

	// Loopback does without the network: everything is on this machine's
	// loopback, no time apart, and nobody can be cut off. Otherwise that is done
	// where the network cannot be had.
	Loopback bool

	// Roles and Causes are who is struck and how; empty means [Roles] and
	// [Causes], but Cut where there is no network. [None] stands for nobody and
	// nothing. Repeat is how often each; zero means once.
	Roles  []Role
	Causes []Cause
	Repeat int

	// Outage is how long a relay is gone before it comes back, and Rest how long
	// the network then has before the next strike. Zero means 8 s and 7 s.
	Outage, Rest time.Duration

	// Quiet is how long nothing is struck at first, and what is heard is counted
	// apart. Zero means 5 s.
	Quiet time.Duration

	// Verbose lets the text of the result tell all that it knows of what was lost,
	// not only when that is little, and relays log more.
	Verbose bool

	// Executable has the verbs relay and those of [Listen] and [Speak]. Empty
	// means this program.
	Executable string

	// Progress is told how far a step is, by one goroutine at a time. Nil tells
	// nobody.
	Progress func(step string, done, total int)
}

// ErrOptions says that what was asked for cannot be measured.
var ErrOptions = errors.New("options")

func (o Options) withDefaults() (Options, error) {
	o.Relays = cmp.Or(o.Relays, 5)
	o.Listeners = cmp.Or(o.Listeners, 200)
	o.Delay = cmp.Or(o.Delay, 200*time.Millisecond)
	o.Repeat = cmp.Or(o.Repeat, 1)
	o.Outage = cmp.Or(o.Outage, 8*time.Second)
	o.Rest = cmp.Or(o.Rest, 7*time.Second)
	o.Quiet = cmp.Or(o.Quiet, 5*time.Second)
	o.Over = cmp.Or(o.Over, time.Duration(o.Listeners)*20*time.Millisecond) // each takes two handshakes
	if o.Conditions == (wire.Conditions{}) {
		o.Conditions = wire.Conditions{RTT: 40 * time.Millisecond, Jitter: 10 * time.Millisecond}
	}
	if len(o.Roles) == 0 {
		o.Roles = Roles
	}
	if len(o.Causes) == 0 {
		o.Causes = Causes
		if o.Loopback {
			o.Causes = []Cause{Kill, Freeze, Drain}
		}
	}
	o.Roles = slices.DeleteFunc(slices.Clone(o.Roles), func(r Role) bool { return r == None })
	o.Causes = slices.DeleteFunc(slices.Clone(o.Causes), func(c Cause) bool { return c == None })
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Executable == "" {
		self, err := os.Executable()
		if err != nil {
			return o, err
		}
		o.Executable = self
	}
	if err := o.check(); err != nil {
		return o, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return o, nil
}

func (o Options) check() error {
	switch {
	case o.Relays < 2 || o.Relays > 60:
		return fmt.Errorf("%d relays: want 2 to 60", o.Relays)
	case o.Listeners < 1 || o.Listeners > 5000:
		return fmt.Errorf("%d listeners: want 1 to 5000", o.Listeners)
	case o.Degree != 0 && (o.Degree < plan.MinDegree || o.Degree > plan.MaxDegree):
		return fmt.Errorf("a degree of %d: want %d to %d", o.Degree, plan.MinDegree, plan.MaxDegree)
	case o.Capacity < 0 || o.Capacity > 1e6:
		return fmt.Errorf("a capacity of %d: want 1 to 1000000", o.Capacity)
	case o.Egress < 0 || o.Egress > 1e9:
		return fmt.Errorf("%d packets a second: want 1 to 1000000000", o.Egress)
	case o.Over < 0 || o.Over > time.Hour:
		return fmt.Errorf("listeners that take %v to come: want 0 to 1h", o.Over)
	case o.Delay < Every || o.Delay > 10*time.Second:
		return fmt.Errorf("a delay of %v: want 20ms to 10s", o.Delay)
	case !slices.Contains([]time.Duration{0, Every, 3 * Every, 6 * Every}, o.Packet):
		return fmt.Errorf("packets of %v: want 20ms, 60ms or 120ms", o.Packet)
	case o.Repeat < 0 || o.Repeat > 1000:
		return fmt.Errorf("%d repetitions: want 1 to 1000", o.Repeat)
	case o.Outage < time.Second || o.Outage > time.Hour:
		return fmt.Errorf("an outage of %v: want 1s to 1h", o.Outage)
	case o.Rest < time.Second || o.Rest > time.Hour:
		return fmt.Errorf("a rest of %v: want 1s to 1h", o.Rest)
	case o.Quiet < time.Second || o.Quiet > 12*time.Hour:
		return fmt.Errorf("quiet for %v: want 1s to 12h", o.Quiet)
	}
	roles, causes := slices.Concat(Roles, SeveralRoles), slices.Concat(Causes, WideCauses)
	for _, role := range o.Roles {
		if !slices.Contains(roles, role) {
			return fmt.Errorf("no relay is %q: want some of %q, or %q", role, roles, None)
		}
	}
	for _, cause := range o.Causes {
		if !slices.Contains(causes, cause) {
			return fmt.Errorf("nothing is called %q: want some of %q, or %q", cause, causes, None)
		}
	}
	if slices.Contains(o.Causes, Join) && o.Relays == 60 {
		return errors.New("60 relays: there is no room for one more to join")
	}
	if slices.Contains(o.Roles, Pair) && o.Outage <= pairApart {
		return fmt.Errorf("an outage of %v: the relays of a pair are struck %v apart", o.Outage, pairApart)
	}
	if o.Loopback && slices.Contains(o.Causes, Cut) {
		return errors.New("nobody can be cut off the loopback")
	}
	return nil
}

// logLevel is what relays log. They are quoted when they fail.
func (o Options) logLevel() string {
	if o.Verbose {
		return "debug"
	}
	return "warn"
}
